"""Cloud Tasks on this machine: `python -m emulators.tasks`. What it keeps to and where it differs is in README.md."""
