"""A mail server that delivers nothing and shows everything: `python -m emulators.mail`. See README.md."""
