"""Pages for people that are written by what they tell of: `python -m infra.pages` writes them all."""
