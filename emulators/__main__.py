"""`python -m emulators up | demo`: the whole platform on this machine."""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from emulators import screen
from emulators.cloud import LocalCloud
from emulators.errors import CannotStartError
from emulators.ports import Ports
from emulators.state import State
from emulators.stopping import stop_when_told
from infra.catalog import ROOT

CANNOT_START = 2
"""Exit code when something is missing, taken or broken."""


def main() -> int:
    """Runs a command; returns its exit code."""
    given = _arguments()
    stop_when_told(with_parent=given.with_parent)
    try:
        cloud = LocalCloud(
            Ports.from_environment(),
            State(given.state.resolve()),
            fresh=given.fresh,
            isolated=given.isolated,
            say=screen.say,
        )
        if given.command == "demo":
            from emulators import demo  # with the uploader and what it needs, which `up` does without

            return demo.run(cloud, given.folder, given.began or time.time())
        with screen.running(cloud):
            screen.show(cloud)
            screen.say("Stop it with Ctrl-C.")
            signal.pause()
    except CannotStartError as error:
        screen.console.print(str(error), style="red", markup=False, soft_wrap=True)
        return CANNOT_START
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="emulators", description=__doc__)
    parser.add_argument(
        "--state", type=_folder, default=ROOT / ".alta", help="folder that keeps everything between runs"
    )
    parser.add_argument("--fresh", action="store_true", help="forget what the last run kept")
    parser.add_argument("--isolated", action="store_true", help="every function in a process of its own, as deployed")
    parser.add_argument("--with-parent", action="store_true", help="stop when the program that started this one ends")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start everything and stay until Ctrl-C")
    shown = commands.add_parser("demo", help="start everything, upload a folder, show what was read")
    samples = ROOT / "samples" / "upload"
    shown.add_argument("folder", type=_folder, nargs="?", default=samples, help="default: %(default)s")
    shown.add_argument("--began", type=float, help="when the demo began, in seconds since 1970; default: now")
    return parser.parse_args()


def _folder(given: str) -> Path:
    # Of `make demo DIR=~/scans`, not every shell makes a path: bash does, zsh, fish and dash leave the `~` to us.
    return Path(os.path.expanduser(given))


if __name__ == "__main__":
    sys.exit(main())
