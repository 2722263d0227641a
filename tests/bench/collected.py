"""Projects of any size, written straight into the store: what benchmarks of analytics and exports begin with."""

import os
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx

from emulators.cloud import LocalCloud
from shared.models.assets import Asset, AssetState, Kind
from shared.models.records import now
from shared.models.review import Review, ReviewState
from shared.settings import settings
from shared.store import assets, firestore, projects
from tests.own_cloud import admin
from tests.recognised import recognised

AT_ONCE = 250
"""Records that are written in one commit."""
PEOPLE = 20
"""Who uploads, in turn."""
SPREAD = timedelta(days=10)
"""The time in which a project was collected, up to yesterday."""


@asynccontextmanager
async def manager(cloud: LocalCloud) -> AsyncIterator[httpx.AsyncClient]:
    """The default company's admin, signed in; from here on this process uses the store as a function does."""
    os.environ.update(cloud.environment)
    settings.cache_clear()
    async with admin(cloud) as http:
        yield http


async def project(http: httpx.AsyncClient, files: int, **fields: Any) -> dict[str, Any]:
    """A new project with so many recognised pages and recordings, some of them reviewed."""
    body = {"name": f"Of {files} files"}
    made: dict[str, Any] = (await http.post("/api/projects", json=body)).raise_for_status().json()
    record = await projects.get(made["id"])
    if record is None:
        raise LookupError(made["id"])
    began = now() - SPREAD - timedelta(days=1)
    await firestore.commit(projects.change(record, {"created_at": began}))
    chance = random.Random(files)  # the same project every time
    for start in range(0, files, AT_ONCE):
        numbers = range(start, min(files, start + AT_ONCE))
        some = [_asset(made, chance, number, began + SPREAD * number / files, fields) for number in numbers]
        await firestore.commit(*map(assets.create, some))
    return made


def _asset(
    project: Mapping[str, Any], chance: random.Random, number: int, came: datetime, fields: Mapping[str, Any]
) -> Asset:
    kind = Kind.VOICE if number % 10 == 0 else Kind.DOCUMENT
    failed = number % 50 == 1
    described = {
        "created_at": came,
        "updated_at": came,
        "kind": kind,
        "path": f"folder/{number}",
        "name": str(number),
        "content_type": "audio/wav" if kind is Kind.VOICE else "image/png",
        "size": 1_000 + number,
        "uploaded_bytes": 1_000 + number,
        "state": AssetState.FAILED if failed else AssetState.PROCESSED,
        "pages": None if kind is Kind.VOICE else 1 + number % 3,
        "duration_seconds": 1.5 + number % 60 if kind is Kind.VOICE else None,
        "confidence": round(chance.random(), 6),
        "text": f"Page {number}. The quick brown fox jumps over the lazy dog.",
        "excerpt": f"Page {number}.",
        "uploaded_at": came,
        "processed_at": came + timedelta(seconds=chance.uniform(0.5, 90)),
        "review": _review(chance, came).model_dump(),
    }
    return recognised(project, f"usr_{number % PEOPLE}", **{**described, **fields})


def _review(chance: random.Random, came: datetime) -> Review:
    state = chance.choice(list(ReviewState))
    if state is ReviewState.NONE:
        return Review()
    submitted = came + timedelta(minutes=5)
    if state is ReviewState.SUBMITTED:
        return Review(state=state, submitted_at=submitted, taken_until=submitted)
    decided = submitted + timedelta(seconds=chance.uniform(10, 10_000))
    return Review(state=state, submitted_at=submitted, decided_at=decided, decided_by=f"usr_{chance.randrange(3)}")
