"""Runs one program, and ends it and all that it started when whoever started the guard is gone.

`python guard.py COMMAND ...`, with a pipe as standard input and a process group of its own. Only the runner holds the
other end of that pipe: when the runner closes it, or dies of anything at all, kill -9 included, the guard reads the end
of it; the group is asked to stop, then killed. It works the same on Linux and macOS, for Python, Java and Node. Nothing
of the project is imported, so that the guard starts in milliseconds.
"""

import os
import select
import signal
import subprocess
import sys

GRACE = 8.0
"""Seconds between the request to stop and the kill."""


def main(command: list[str]) -> int:
    """Runs the command; returns its exit code, or 128 + N when signal N ended it."""
    # The guard is a member of the group that it signals. A handler, unlike SIG_IGN, is not inherited by the program.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    signalled, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)  # so that select() waits for the program and the pipe alike
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    while program.poll() is None:
        readable, _, _ = select.select([sys.stdin, signalled], [], [])
        if signalled in readable:
            os.read(signalled, 512)
        elif not os.read(sys.stdin.fileno(), 512):
            _stop(program)
    os.killpg(0, signal.SIGTERM)  # what the program may have left behind
    return program.returncode if program.returncode >= 0 else 128 - program.returncode


def _stop(program: subprocess.Popen[bytes]) -> None:
    os.killpg(0, signal.SIGTERM)
    try:
        program.wait(GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
