"""Bad weather over a local cloud: what goes wrong in real life, at random, from a seed."""

import random
import threading
from collections import Counter
from collections.abc import Callable

import httpx

from emulators.cloud import LocalCloud
from emulators.parts import isolated_name
from tests import loopback
from tests.own_cloud import frozen

SHORTEST, LONGEST = 0.2, 1.5
"""Seconds between two strokes."""
FROZEN_SECONDS = 1.5
"""How long Firestore does not answer."""

# The engines are not killed: they count what they were given, and the books are checked against that.
_FUNCTIONS = ("ocr", "transcribe", "receive", "progress", "operations", "uploads")
_KILLED = (*map(isolated_name, _FUNCTIONS), "storage", "tasks")
_ENGINE_CALLS = {
    "documentai_control": ("ProcessDocument", "BatchProcessDocuments", "GetOperation"),
    "speech_control": ("Recognize", "BatchRecognize", "GetOperation"),
}
_CODES = ("UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "INTERNAL")
_NOTIFICATIONS = ("drop", "duplicate", "delay", "reorder")


class Weather:
    """A context in which strokes fall on the cloud until it is left; `strokes` counts them by kind."""

    def __init__(self, cloud: LocalCloud, seed: int) -> None:
        self.strokes: Counter[str] = Counter()
        self._cloud = cloud
        self._random = random.Random(seed)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._rage, name="weather", daemon=True)
        self._control = loopback.blocking(timeout=10)
        self._kinds: list[Callable[[], str]] = [
            self._kill,
            self._engine_error,
            self._storage_error,
            self._notification,
            self._duplicate_task,
            self._freeze_firestore,
        ]

    def __enter__(self) -> "Weather":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._clear()
        self._control.close()

    def _rage(self) -> None:
        while not self._over.wait(self._random.uniform(SHORTEST, LONGEST)):
            try:
                self.strokes[self._random.choice(self._kinds)()] += 1
            except (httpx.HTTPError, ProcessLookupError):
                self.strokes["missed: the part was down already"] += 1

    def _kill(self) -> str:
        part = self._random.choice(_KILLED)
        self._cloud.kill(part)
        return f"kill {part}"

    def _engine_error(self) -> str:
        control = self._random.choice(list(_ENGINE_CALLS))
        method, code = self._random.choice(_ENGINE_CALLS[control]), self._random.choice(_CODES)
        self._post(control, "faults", {"method": method, "code": code, "times": self._random.randint(1, 4)})
        return f"{method} answers {code}"

    def _storage_error(self) -> str:
        status = self._random.choice((503, 429, None))
        match = {"method": self._random.choice(("PUT", "POST", "GET")), "path_prefix": "/"}
        fault = {"match": match, "status": status, "times": self._random.randint(1, 3)}
        self._post("storage", "faults", fault | {"after_bytes": self._random.choice((0, 100, 300_000))})
        return f"storage answers {status or 'nothing'}"

    def _notification(self) -> str:
        action = self._random.choice(_NOTIFICATIONS)
        plan = {"action": action, "times": self._random.randint(1, 3)}
        self._post("storage", "notifications", plan | ({"seconds": 2} if action == "delay" else {}))
        return f"{action} notifications"

    def _duplicate_task(self) -> str:
        self._post("tasks_control", "faults", {"duplicate": self._random.randint(1, 3)})
        return "duplicate tasks"

    def _freeze_firestore(self) -> str:
        with frozen(self._cloud, "firestore"):
            self._over.wait(FROZEN_SECONDS)
        return "freeze firestore"

    def _post(self, part: str, door: str, body: object) -> None:
        self._control.post(f"{self._cloud.ports.url(part)}/_alta/{door}", json=body).raise_for_status()

    def _clear(self) -> None:
        for part in ("documentai_control", "speech_control", "storage"):
            self._control.delete(f"{self._cloud.ports.url(part)}/_alta/faults").raise_for_status()
