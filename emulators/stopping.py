"""How the runner is told to stop: Ctrl-C, SIGTERM, a closed terminal, or the end of the program that started it."""

import os
import signal
import sys
from threading import Thread
from time import sleep
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_LOOK = 0.5
"""Seconds between two looks at whether the program that started this one is still there."""


def stop_when_told(*, with_parent: bool) -> None:
    """From now on each of these raises SystemExit in the main thread, once: the stopping itself is not interrupted."""
    for number in _SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # under nohup it stays ignored
            signal.signal(number, _stop)
    if with_parent:
        Thread(target=_watch, args=[os.getppid()], daemon=True).start()


def _stop(number: int, _frame: FrameType | None) -> None:
    for one in _SIGNALS:
        signal.signal(one, signal.SIG_IGN)
    sys.exit(0 if number == signal.SIGINT else 128 + number)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        sleep(_LOOK)
    os.kill(os.getpid(), signal.SIGTERM)
