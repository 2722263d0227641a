"""`python3 -m emulators.install`: makes `.venv` with all that requirements.txt names, and installs firebase-tools.

It runs with the system's Python, before anything is installed, so it needs nothing but Python's own library. Both are
done at the same time, and only when their lists changed since the last time.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from emulators import node
from emulators.errors import CannotStartError

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements.txt"

_EVERY = 25
"""Packages between two lines of progress."""


def main() -> int:
    """Installs what is missing; returns the exit code."""
    try:
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(_install_packages), pool.submit(node.install_firebase_tools, _say)]:
                done.result()
    except CannotStartError as error:
        _say(str(error))
        return 2
    return 0


def _install_packages() -> None:
    wanted = sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    done = VENV / ".installed"
    if done.is_file() and done.read_text() == wanted:
        return
    _refuse_old_python()
    _say("Installing Python packages into .venv (once) …")
    same_python = (VENV / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}").is_dir()
    command = [sys.executable, "-m", "venv", *([] if same_python else ["--clear"]), str(VENV)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise CannotStartError(
            "A virtual environment can't be made (some systems have that as a package of its own, `python3-venv`).\n"
            f"Python said:\n{node.end_of_output(made)}"
        )
    _pip()
    done.write_text(wanted)


def _pip() -> None:
    # The project itself goes in too, as it lies here, for its command line `alta`.
    what = ["--requirement", str(REQUIREMENTS), "--editable", str(ROOT)]
    command = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--no-input", *what]
    total = sum(1 for line in REQUIREMENTS.read_text().splitlines() if line[:1].isalnum())
    said: list[str] = []
    found = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        for line in pip.stdout or ():
            said.append(line)
            found += line.startswith("Collecting ")
            if line.startswith("Collecting ") and found % _EVERY == 0:
                _say(f"  {found} of {total} packages found")
            elif line.startswith("Installing collected"):
                _say(f"  installing {total} packages")
    if pip.returncode:
        raise CannotStartError(
            "pip could not install what requirements.txt names. Is the package index within reach?\nIt said:\n"
            + "".join(f"    {line}" for line in said[-12:])
        )


def _refuse_old_python() -> None:
    if sys.version_info < OLDEST_PYTHON:
        raise CannotStartError(
            f"Python {sys.version.split()[0]} is too old: Alta needs 3.11 or newer. Name one: make PYTHON=python3.12."
        )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
