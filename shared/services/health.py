"""Whether what the platform stands on answers, and how fast."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable

from cachetools import TTLCache

from shared import logs
from shared.cloud import reachability
from shared.models.health import Alive, Dependency, Readiness
from shared.store import firestore, objects, users
from shared.version import VERSION

LIMIT = 3.0
"""Seconds after which a dependency counts as down."""
CACHED_SECONDS = 1
"""How long an answer is given again: everybody may ask, and some of the questions cost money."""

_QUESTIONS: dict[str, Callable[[], Awaitable[object]]] = {
    "firestore": lambda: users.get("usr_nobody"),
    "storage": objects.bucket_answers,
    "tasks": reachability.tasks,
    "pubsub": reachability.pubsub,
    "identity": reachability.identity,
    "documentai": reachability.documentai,
    "speech": reachability.speech,
    "mail": reachability.mail,
}

_latest: TTLCache[str, Readiness] = TTLCache(maxsize=1, ttl=CACHED_SECONDS)
_log = logs.logger(__name__)


def alive() -> Alive:
    """The version that runs."""
    return Alive(version=VERSION, revision=os.environ.get("K_REVISION"))


async def readiness() -> Readiness:
    """Asks each dependency something small, all at once."""
    known = _latest.get("")
    if known is None:
        await asyncio.to_thread(firestore.load)  # what importing takes is no dependency's fault
        found = await asyncio.gather(*(_asked(name, question) for name, question in _QUESTIONS.items()))
        known = _latest[""] = Readiness(ready=all(one.up for one in found), dependencies=list(found))
    return known


async def _asked(name: str, question: Callable[[], Awaitable[object]]) -> Dependency:
    started = time.perf_counter()
    up = True
    try:
        await asyncio.wait_for(question(), LIMIT)
    except Exception as error:  # noqa: BLE001  # whatever it says: this dependency does not work
        _log.warning("dependency_down", dependency=name, error=repr(error))
        up = False
    return Dependency(name=name, up=up, latency_ms=round((time.perf_counter() - started) * 1000, 1))
