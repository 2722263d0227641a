"""What analytics of a large project costs, against that of a small one, and whether it is exact.

`python -m tests.bench.analytics [--files 500 50000]`. Each project is written straight into the store, counted by the
`rollups` function, and asked for over HTTP. Exits with 1 when a summary of one project takes more reads than one of
another, or when its totals are not those of a count over all records.
"""

import argparse
import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from shared.models.analytics import Scope
from shared.models.assets import AssetState
from shared.models.records import now
from shared.models.review import ReviewState
from shared.store import rollups
from tests import loopback
from tests.bench import collected
from tests.bench.operations import CountedCloud, counted_cloud
from tests.firestore.counting import Count

SUMMARIES = 20
SPARED = timedelta(minutes=1)
"""What happened so lately may not be counted yet; nothing did."""


@dataclass(frozen=True)
class Measured:
    """One project: reads and seconds of counting all of it, of counting when nothing happened, and of a summary."""

    files: int
    first: tuple[int, float]
    again: tuple[int, float]
    summary: tuple[int, float]
    exact: bool


async def measure(sizes: list[int]) -> bool:
    """Measures and prints; whether all is as it should be."""
    count: Count = Counter()
    async with counted_cloud(count) as cloud, collected.manager(cloud) as http:
        found = []
        for files in sizes:
            found.append(await _measured(cloud, http, count, files))
            _show(found[-1])
    same = len({one.summary[0] for one in found}) == 1
    print("the same reads for every size" if same else "THE READS OF A SUMMARY GROW")
    return same and all(one.exact for one in found)


async def _measured(cloud: CountedCloud, http: httpx.AsyncClient, count: Count, files: int) -> Measured:
    project = await collected.project(http, files)
    asked = {"project_id": project["id"]}
    first, again = [await _counted(cloud, count, project["id"]) for _ in range(2)]
    took, reads = [], []
    for _ in range(SUMMARIES):
        count.clear()
        began = time.perf_counter()
        answer = (await http.get("/api/analytics/summary", params=asked)).raise_for_status().json()
        took.append(time.perf_counter() - began)
        reads.append(count["firestore.reads"])  # the first one also reads who asks, and the project
    summary = (sorted(reads)[SUMMARIES // 2], sorted(took)[SUMMARIES // 2])
    return Measured(files, first, again, summary, _totals(answer) == await _records(project["id"]))


async def _counted(cloud: CountedCloud, count: Count, project_id: str) -> tuple[int, float]:
    """Reads and seconds until the function has counted all there is; a large project takes more than one task."""
    count.clear()
    asked = now()
    began = time.perf_counter()
    async with loopback.client(cloud.ports.url("internal"), timeout=600) as queue:
        while True:
            (await queue.post("/rollups", json={"project_id": project_id})).raise_for_status()
            (standing,) = await rollups.standing(Scope.PROJECT, project_id)
            if standing.folded_until is not None and standing.folded_until > asked - SPARED:
                return count["firestore.reads"], time.perf_counter() - began


def _totals(answer: dict[str, Any]) -> Counter[str]:
    now, totals = answer["now"], answer["totals"]
    told = {f"{kind} {state}": n for kind, states in now["by_kind"].items() for state, n in states.items() if n}
    told |= {f"review {state}": n for state, n in now["reviews"].items() if n} | {"stored": now["stored_bytes"]}
    told |= {name: totals[name] for name in ("files_uploaded", "bytes_uploaded", "pages", "approved", "rejected")}
    return Counter(told | {"processed": totals["files_processed"], "seconds": round(totals["minutes"] * 60)})


async def _records(project_id: str) -> Counter[str]:
    """The same, counted from every record."""
    told: Counter[str] = Counter()
    seconds = 0.0
    async for page in rollups.events(project_id, ("uploaded_at",), datetime.min.replace(tzinfo=UTC), now()):
        for asset in page:
            done = asset.state is AssetState.PROCESSED
            told += Counter(
                {
                    f"{asset.kind} {asset.state}": 1,
                    f"review {asset.review.state}": int(asset.review.state is not ReviewState.NONE),
                    "stored": asset.uploaded_bytes,
                    "files_uploaded": 1,
                    "bytes_uploaded": asset.uploaded_bytes,
                    "processed": int(done),
                    "pages": (asset.pages or 0) if done else 0,
                    "approved": int(asset.review.state is ReviewState.APPROVED),
                    "rejected": int(asset.review.state is ReviewState.REJECTED),
                }
            )
            seconds += (asset.duration_seconds or 0) if done else 0
    told["seconds"] = round(seconds)
    return told


def _show(one: Measured) -> None:
    print(f"{one.files:>7,} files: totals {'exact' if one.exact else 'WRONG'}")
    for name, (reads, seconds) in (("first count", one.first), ("count again", one.again), ("summary", one.summary)):
        print(f"    {name:<12}{reads:>7,} reads {seconds * 1000:>10,.1f} ms")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.analytics", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--files", type=int, nargs="+", default=[500, 50_000], help="files of each project")
    given = parser.parse_args()
    return 0 if asyncio.run(measure(given.files)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
