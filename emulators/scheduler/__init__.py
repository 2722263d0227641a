"""Cloud Scheduler on this machine: `python -m emulators.scheduler`. See README.md."""
