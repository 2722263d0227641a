"""`python -m tests.fuzz [--requests N] [--seed SEED]`: fuzzes the whole API of a local cloud of its own.

Exits with 1 when an answer was a 5xx or not as the reference describes it; what was found can be asked again with the
same seed.
"""

import argparse
import asyncio
import os
import random
import tempfile
from pathlib import Path

from emulators.cloud import LocalCloud
from emulators.ports import Ports
from emulators.state import State, environment
from tests.conftest import Cloud
from tests.fuzz.requests import fuzz


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=10_000, help="how many at least")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="the same seed asks the same")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ports, state = Ports.free(), State(Path(folder))
        with LocalCloud(ports, state, fresh=True), asyncio.Runner() as runner:
            told = environment(ports, state)
            os.environ.update(told)
            findings = fuzz(Cloud(ports, told, state), given.requests, given.seed, runner.run)
    for one in dict.fromkeys(map(str, findings.found)):
        print(one)
    statuses = ", ".join(f"{status}: {times}" for status, times in sorted(findings.statuses.items()))
    print(f"{findings.requests} requests with --seed {given.seed} ({statuses}): {len(findings.found)} findings")
    return 1 if findings.found else 0


if __name__ == "__main__":
    raise SystemExit(main())
