"""A session of many small files through the whole pipeline: speed, operations, and the memory of each function.

`python -m tests.bench.size [--files 10000] [--warm 500]`. The uploader sends a folder to a local cloud in which each
function has a process of its own, as deployed; the engines answer at once, so that what is measured is the platform's.
A smaller session goes first: what the second adds to the peak of a process is what grows with files. What a folder
costs is counted until all of it stands in analytics, and `reconcile` has looked over it.

Exits with 1 when a file costs more reads or writes, or the session more writes, than it may.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx

from clients.uploader import Client, Journal, Order, upload
from clients.uploader.contract import FINAL, MANIFEST_LIMIT, Status
from emulators.cloud import LocalCloud
from emulators.parts import isolated_name
from emulators.seed import PASSWORD, USERNAME
from tests import loopback
from tests.bench.memory import peaks
from tests.bench.operations import counted_cloud, material
from tests.e2e.journey import described, new_session, start
from tests.emulators.waiting import until
from tests.firestore.counting import Count
from tests.own_cloud import admin, answer_at_once

READS_PER_FILE = 3.0
WRITES_PER_FILE = 3.0
SESSION_WRITES = 200
START_SECONDS = 1.5
ANALYSED_WITHIN = 300
"""Seconds after the end of a session in which its last files stand in analytics."""


@dataclass(frozen=True)
class Journey:
    """What one folder cost: seconds until all was sent and until all was read, operations, writes of the session."""

    files: int
    sent: float
    took: float
    count: Count
    session_writes: int


async def measure(files: int, warm: int) -> bool:
    """Measures and prints; whether all stayed within its limits."""
    count: Count = Counter()
    with tempfile.TemporaryDirectory(prefix="alta-size-") as folder:
        async with counted_cloud(count, isolated=True) as cloud:
            await answer_at_once(cloud)
            await _travel(cloud, Path(folder) / "small", warm, count)
            before = peaks()
            journey = await _travel(cloud, Path(folder) / "large", files, count)
            within = _report(journey, before, peaks(), warm)
            started = await _started(cloud)
            print(f"\n{MANIFEST_LIMIT:,} files are announced in {started:.2f} s (under {START_SECONDS:g})")
            return within and started < START_SECONDS


async def _started(cloud: LocalCloud) -> float:
    """Seconds until a manifest of the greatest length is stored and every URL signed: the median of five."""
    async with admin(cloud) as http:
        return statistics.median([await _announced(http) for _ in range(5)])


async def _announced(http: httpx.AsyncClient) -> float:
    manifest = [described(f"{number}.csv", b"n") for number in range(MANIFEST_LIMIT)]
    session = await new_session(http)
    began = time.monotonic()
    job_id = (await start(http, session["id"], manifest))["job_id"]
    took = time.monotonic() - began
    (await http.post(f"/api/uploads/{job_id}/cancel")).raise_for_status()

    async def stopped() -> bool:
        status = (await http.get(f"/api/uploads/status/{job_id}")).raise_for_status().json()
        return bool(status["stats"]["files_failed"] == MANIFEST_LIMIT)

    await until(stopped, ANALYSED_WITHIN, every=1)
    return took


async def _travel(cloud: LocalCloud, folder: Path, files: int, count: Count) -> Journey:
    """Uploads a folder, and waits until all of it is read and counted."""
    await asyncio.to_thread(_fill, folder, files)
    count.clear()
    began = time.monotonic()
    with closing(Journal(folder.with_suffix(".journal"))) as journal:
        async with Client(cloud.url) as client:
            await client.login(USERNAME, PASSWORD)
            order = Order([folder], folder.name, create_project=True, wait=False)
            sent = await upload(client, order, journal=journal)
            uploaded = time.monotonic() - began
            status = await _ended(client, str(sent.session_id))
    took = time.monotonic() - began
    await _analysed(cloud, str(sent.session_id), files)
    if status["status"] != "completed" or status["stats"]["files_failed"]:
        raise RuntimeError(f"the session did not go well: {status}")
    log = cloud.state.log(isolated_name("progress")).read_text().splitlines()
    counted_times = sum(str(sent.session_id) in line and "session_counted" in line for line in log)
    # The manifest's opening and closing write the session as well.
    return Journey(files, uploaded, took, Counter(count), 2 + counted_times)


async def _analysed(cloud: LocalCloud, session_id: str, files: int) -> None:
    """Returns when the project's analytics tell of every file and `reconcile` has looked over it."""
    async with (
        admin(cloud) as http,
        loopback.client(cloud.ports.url("internal"), timeout=540) as clock,
    ):
        project = (await http.get(f"/api/sessions/{session_id}")).raise_for_status().json()["project_id"]

        async def told() -> bool:
            summary = (await http.get("/api/analytics/summary", params={"project_id": project})).raise_for_status()
            return bool(summary.json()["totals"]["files_uploaded"] == files)

        await until(told, ANALYSED_WITHIN, every=5)
        (await clock.post("/reconcile")).raise_for_status()


def _fill(folder: Path, files: int) -> None:
    folder.mkdir()
    for path, content in material(files):
        (folder / path).write_bytes(content)


async def _ended(client: Client, session_id: str) -> Status:
    while True:
        status = await client.status(session_id)
        if status["status"] in FINAL:
            return status
        await asyncio.sleep(2)


def _report(journey: Journey, before: Mapping[str, float], after: Mapping[str, float], warm: int) -> bool:
    files = journey.files
    reads, writes = (journey.count[f"firestore.{kind}"] / files for kind in ("reads", "writes"))
    print(f"{files:,} files: sent in {journey.sent:.0f} s, all read in {journey.took:.0f} s")
    print(f"  {files / journey.took:6.1f} files a second through the whole pipeline")
    print(f"  {reads:6.2f} reads and {writes:.2f} writes a file (at most {READS_PER_FILE:g} and {WRITES_PER_FILE:g})")
    print(f"  {journey.session_writes:6} writes of the session (fewer than {SESSION_WRITES})")
    print(f"\npeak memory, MiB     after {warm:,} files   after {warm + files:,}")
    for name, peak in sorted(after.items()):
        print(f"  {name:14} {before.get(name, 0.0):17.0f} {peak:15.0f}")
    return reads <= READS_PER_FILE and writes <= WRITES_PER_FILE and journey.session_writes < SESSION_WRITES


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.size", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="files of the session")
    parser.add_argument("--warm", type=int, default=500, help="files of the session before it")
    asked = parser.parse_args()
    return 0 if asyncio.run(measure(asked.files, asked.warm)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
