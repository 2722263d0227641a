"""Whether what the platform stands on answers, and how fast."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence

from cachetools import TTLCache

from shared import logs
from shared.cloud import reachability
from shared.models.health import Alive, Dependency, Part, Readiness
from shared.store import firestore, objects, users
from shared.version import VERSION

LIMIT = 3.0
"""Seconds after which a dependency counts as down."""
CACHED_SECONDS = 1
"""How long an answer is given again: everybody may ask, and some of the questions cost money."""

_QUESTIONS: dict[Part, Callable[[], Awaitable[object]]] = {
    Part.FIRESTORE: lambda: users.get("usr_nobody"),
    Part.STORAGE: objects.bucket_answers,
    Part.TASKS: reachability.tasks,
    Part.PUBSUB: reachability.pubsub,
    Part.IDENTITY: reachability.identity,
    Part.DOCUMENTAI: reachability.documentai,
    Part.SPEECH: reachability.speech,
    Part.MAIL: reachability.mail,
}

_latest: TTLCache[tuple[Part, ...], Readiness] = TTLCache(maxsize=10, ttl=CACHED_SECONDS)
_log = logs.logger(__name__)


def alive() -> Alive:
    """The version that runs."""
    return Alive(version=VERSION, revision=os.environ.get("K_REVISION"))


async def readiness(only: Sequence[Part] = ()) -> Readiness:
    """Asks each of these parts, without a choice all, something small, all at once."""
    asked = tuple(part for part in Part if part in only or not only)
    known = _latest.get(asked)
    if known is None:
        await asyncio.to_thread(firestore.load)  # what importing takes is no dependency's fault
        found = await asyncio.gather(*map(_asked, asked))
        known = _latest[asked] = Readiness(ready=all(one.up for one in found), dependencies=list(found))
    return known


async def _asked(part: Part) -> Dependency:
    started = time.perf_counter()
    up = True
    try:
        await asyncio.wait_for(_QUESTIONS[part](), LIMIT)
    except Exception as error:  # noqa: BLE001  # whatever it says: this dependency does not work
        _log.warning("dependency_down", dependency=part, error=repr(error))
        up = False
    return Dependency(name=part, up=up, latency_ms=round((time.perf_counter() - started) * 1000, 1))
