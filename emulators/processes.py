"""Starts the parts of the local cloud, watches them, starts again what dies, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Condition, Event, Thread

from emulators import guard
from emulators.errors import CannotStartError
from emulators.ports import HOST
from emulators.shell import inherited

READY_LIMIT = 90.0
"""Seconds that a part may take to answer; on two busy cores the slowest needs about ten."""

LAST_LINES = 15
"""Lines of its log that are shown of a part that failed."""

_POLL = 0.05
"""Seconds between two looks at a part that is starting."""

_LONGEST_PAUSE = 5.0
"""Seconds between two starts of a part that dies again and again."""

READY_PATH = "/_alta/ready"
"""Where those parts that speak HTTP and are our own answer 200 once they can be used."""

Ready = Callable[[], bool]


@dataclass(frozen=True)
class Part:
    """One program of the local cloud: how it is started and how one sees that it answers."""

    name: str
    command: tuple[str, ...]
    ready: Ready
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None


def accepts(port: int) -> Ready:
    """Ready when the port takes a connection; for gRPC servers, which listen when they can serve."""

    def ready() -> bool:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return True
        return False

    return ready


def answers(port: int, path: str = "/") -> Ready:
    """Ready when a GET of this path is answered with 200."""

    def ready() -> bool:
        with suppress(OSError, HTTPException), closing(HTTPConnection(HOST, port, timeout=5)) as connection:
            connection.request("GET", path)
            return connection.getresponse().status == HTTPStatus.OK
        return False

    return ready


def guarded(
    command: Sequence[str], log: Path, environment: Mapping[str, str], folder: Path | None
) -> subprocess.Popen[bytes]:
    """Starts a program that ends, with all its children, when its standard input is closed or this process is gone."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-E", "-S", guard.__file__, *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**inherited(os.environ), **environment},
            cwd=folder,
            start_new_session=True,  # Ctrl-C reaches the runner alone, which stops everything in order
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """Asks a guarded program to stop and waits until it and all that it started are gone."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(guard.GRACE + 2)
    except subprocess.TimeoutExpired:
        _kill_group(process.pid)
        process.wait()


class Process:
    """A part that runs, and once it was ready runs again when it dies.

    `restarted` is called, in a thread, when a part that died answers again; `say` gets a line for the screen.
    """

    def __init__(self, part: Part, log: Path, say: Callable[[str], None], restarted: Callable[[str], None]) -> None:
        self.part = part
        self._log = log
        self._say = say
        self._restarted = restarted
        self._stopping = Event()
        self._supervised = Event()
        self._changed = Condition()
        self._running: subprocess.Popen[bytes] | None = None
        self._restarts = 0

    def start(self) -> None:
        """Starts the program; does not wait for it."""
        self._log.write_bytes(b"")
        self._spawn()
        if self._running:
            Thread(target=self._watch, name=f"watch-{self.part.name}", daemon=True).start()

    def wait_until_ready(self) -> None:
        """Waits until the part answers; from then on it is started again when it dies.

        Raises CannotStartError, with the end of its log, when it ends or does not answer in time.
        """
        limit = time.monotonic() + READY_LIMIT
        while not self.part.ready():
            if self._stopping.wait(_POLL):
                raise CannotStartError(f"{self.part.name} was stopped while it started.")
            if self._process().poll() is not None:
                raise CannotStartError(f"{self.part.name} ended while it started. {end_of(self._log)}")
            if time.monotonic() > limit:
                raise CannotStartError(f"{self.part.name} did not answer in {READY_LIMIT:.0f} s. {end_of(self._log)}")
        self._supervised.set()

    def stop(self) -> None:
        """Stops the program for good and waits until it and all that it started are gone."""
        with self._changed:
            self._stopping.set()
            running = self._running
        if running:
            end(running)

    def kill(self) -> None:
        """Kills the program as hard as can be; it is started again."""
        _kill_group(self._process().pid)

    def restart(self) -> None:
        """Kills the program and waits until it answers again and `restarted` was called.

        Raises CannotStartError when that takes too long.
        """
        with self._changed:
            before = self._restarts
            self.kill()
            if not self._changed.wait_for(lambda: self._restarts > before, READY_LIMIT):
                raise CannotStartError(f"{self.part.name} did not come back. {end_of(self._log)}")

    def _process(self) -> subprocess.Popen[bytes]:
        if self._running is None:
            raise RuntimeError(f"{self.part.name} was not started")
        return self._running

    def _spawn(self) -> None:
        with self._changed:
            if not self._stopping.is_set():
                self._running = guarded(self.part.command, self._log, self.part.environment, self.part.folder)

    def _watch(self) -> None:
        pause = 0.0
        while True:
            process, started = self._process(), time.monotonic()
            code = process.wait()
            _kill_group(process.pid)  # a killed guard leaves its program to us
            if not self._supervised.is_set() or self._stopping.is_set():
                return
            self._say(f"{self.part.name} ended (exit code {code}) and is started again.")
            pause = 0.0 if time.monotonic() - started > _LONGEST_PAUSE else min(2 * pause + 0.1, _LONGEST_PAUSE)
            if self._stopping.wait(pause):
                return
            self._spawn()
            if self._answers_again():
                self._restarted(self.part.name)
                with self._changed:
                    self._restarts += 1
                    self._changed.notify_all()

    def _answers_again(self) -> bool:
        while self._process().poll() is None and not self._stopping.wait(_POLL):
            if self.part.ready():
                return True
        return False


def end_of(log: Path) -> str:
    """The last lines of a log, to be shown."""
    lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
    return "\n".join([f"The end of {log}:", *(f"  {line}" for line in lines or ["(it is empty)"])])


def _kill_group(group: int) -> None:
    # macOS answers PermissionError for a group of nothing but zombies.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
