"""`python -m emulators up`: the whole platform on this machine, until Ctrl-C."""

import argparse
import signal
import sys
import threading
from pathlib import Path
from emulators.cloud import LocalCloud
from emulators.errors import CannotStartError
from emulators.ports import Ports
from emulators.state import State


def main() -> None:
    ports = Ports.from_environment()
    cloud = LocalCloud(
        ports, State.opened(Path(".alta"), fresh="--fresh" in sys.argv), isolated="--isolated" in sys.argv
    )
    for n in (signal.SIGTERM, signal.SIGINT):
        signal.signal(n, lambda *_: sys.exit(0))
    try:
        with cloud:
            print(cloud.timings)
            signal.pause()
    except CannotStartError as e:
        print(e)
        sys.exit(2)


main()
