"""Programs that the tests of the runner start, and whether anything is left of them."""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import psutil

from emulators.processes import Part, accepts
from infra.catalog import ROOT

LIMIT = 60.0
"""Seconds after which a condition that does not come is a failure."""

SERVER = """
import os, socket, subprocess, sys, time
if "--child" in sys.argv:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    listener.accept()[0].close()
"""
"""Listens on a port; with `--child`, starts a program that outlives it unless somebody cares."""


def server(port: int, *arguments: str, name: str = "server") -> Part:
    """A part that does nothing but listen."""
    return Part(name, (sys.executable, "-c", SERVER, str(port), *arguments), accepts(port))


def runner_of(port: int, log: Path) -> Sequence[str]:
    """The command of a program that starts a server under guard, tells `ready` and waits."""
    program = f"""
import signal, sys
from pathlib import Path
from emulators.processes import Process
from tests.emulators.runner.programs import server
process = Process(server({port}, "--child"), Path({str(log)!r}), print, print)
process.start()
process.wait_until_ready()
print("ready", flush=True)
signal.pause()
"""
    return (sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}){program}")


def until(condition: Callable[[], bool], limit: float = LIMIT) -> None:
    """Returns once the condition holds; fails the test when it does not in time."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < limit, f"not so within {limit} s"
        time.sleep(0.02)


def descendants(pid: int) -> list[psutil.Process]:
    """Every process that this one started, and those that they started."""
    return psutil.Process(pid).children(recursive=True)


def assert_gone(processes: Iterable[psutil.Process], limit: float = LIMIT) -> None:
    """Fails the test when one of them still runs after the limit, in seconds."""
    _, left = psutil.wait_procs(list(processes), timeout=limit)
    assert not [one for one in left if one.status() != psutil.STATUS_ZOMBIE]
