"""Node, and firebase-tools on it: the Firebase Auth emulator. Needs nothing but Python's own library."""

import re
import shutil
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from emulators.errors import CannotStartError

OLDEST = 20
"""What the pinned firebase-tools asks for (`engines` in its package.json)."""

FIREBASE = Path(__file__).resolve().parent / "firebase"
"""Where firebase-tools is installed, as package-lock.json says."""

Say = Callable[[str], None]


def node() -> str:
    """Node of this machine; raises CannotStartError when there is none or it is too old."""
    found = shutil.which("node")
    if not found:
        raise CannotStartError(
            "Node is missing; the Firebase Auth emulator runs on it.\n"
            f"Install Node {OLDEST} or newer with npm (https://nodejs.org/en/download, or your system's packages) "
            "and see that `node` is on the PATH."
        )
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = re.match(r"v(\d+)\.", version)
    if not major or int(major[1]) < OLDEST:
        raise CannotStartError(
            f"Node {version or '(unknown)'} at {found} is too old for the Firebase Auth emulator.\n"
            f"Install Node {OLDEST} or newer (https://nodejs.org/en/download)."
        )
    return found


def install_firebase_tools(say: Say) -> None:
    """`npm ci`, only when the lock file changed since the last time. Raises CannotStartError when it fails."""
    wanted = sha256((FIREBASE / "package-lock.json").read_bytes()).hexdigest()
    done = FIREBASE / "node_modules" / ".installed"
    if done.is_file() and done.read_text() == wanted:
        return
    node()
    npm = shutil.which("npm")
    if not npm:
        raise CannotStartError(
            "npm is missing; it installs the Firebase Auth emulator.\n"
            "It comes with Node (https://nodejs.org/en/download); some systems have it as a package of its own, `npm`."
        )
    say("Installing firebase-tools with npm (once) …")
    command = [npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
    run = subprocess.run(command, cwd=FIREBASE, capture_output=True, text=True, check=False)
    if run.returncode:
        raise CannotStartError(
            f"`npm ci` in {FIREBASE} failed, so there is no Firebase Auth emulator. Is the npm registry within reach "
            f"(`npm ping`)?\nIt said:\n{end_of_output(run)}"
        )
    done.write_text(wanted)


def end_of_output(run: subprocess.CompletedProcess[str]) -> str:
    """The last lines that a program wrote, indented."""
    return "\n".join(f"    {line}" for line in (run.stderr or run.stdout).strip().splitlines()[-12:])
