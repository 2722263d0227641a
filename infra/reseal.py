"""Seals all secrets of webhooks with the first of the sealing keys: `python -m infra.reseal`.

The second step of changing that key (docs/runbook.md). The command reads the environment of a function; it may run at
any time and as often as one likes.
"""

import asyncio
import sys

from shared.services import subscriptions


def main() -> None:
    """The command line."""
    count = asyncio.run(subscriptions.reseal())
    sys.stdout.write(f"Sealed anew: the secrets of {count} webhooks.\n")


if __name__ == "__main__":
    main()
