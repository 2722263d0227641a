"""Counts the billable operations of real uploads, and tells what they cost on Google Cloud.

`python -m tests.bench.operations [--files 100]` starts the local cloud, takes files the whole way, and writes
`build/counts.json` for `python -m infra.costs`. Of five files three are scans of one page, one is a recording of half a
minute, and one is a plain file. Recognition answers at once (the emulators' instant mode), so that the time of the
functions is their own; on Google Cloud they also wait for it, while an instance serves others.
"""

import argparse
import asyncio
import io
import json
import secrets
import tempfile
import wave
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from emulators.cloud import LocalCloud
from emulators.parts import FUNCTIONS
from emulators.ports import Ports
from emulators.state import State, environment
from infra import costs
from infra.catalog import ROOT, Kind, functions
from tests.e2e.journey import described, ended, new_session, send, start
from tests.firestore.counting import Count, counted
from tests.own_cloud import admin, answer_at_once, running

COUNTS = ROOT / "build" / "counts.json"
SPEECH_SECONDS = 30
PUBSUB_KIB = 2
"""KiB that one notification is billed: at least one when published and one when pushed."""
GIB = 2**30


class CountedCloud(LocalCloud):
    """A local cloud whose functions reach Firestore through the counting door."""

    firestore = ""

    @property
    def environment(self) -> Mapping[str, str]:
        """As usual, but for Firestore."""
        return {**environment(self.ports, self.state), "FIRESTORE_EMULATOR_HOST": self.firestore}


def material(files: int) -> Iterator[tuple[str, bytes]]:
    """Files with the mix that the module tells; every one has content of its own."""
    for index in range(files):
        match index % 5:
            case 0:
                yield f"{index}.wav", _recording()
            case 1:
                yield f"{index}.csv", f"number;{index}\n".encode()
            case _:
                yield f"{index}.png", _scan()


def _scan() -> bytes:
    drawn = io.BytesIO()
    Image.frombytes("L", (64, 64), secrets.token_bytes(64 * 64)).save(drawn, "PNG")
    return drawn.getvalue()


def _recording() -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(1)
        recording.setframerate(8_000)
        recording.writeframes(secrets.token_bytes(8_000 * SPEECH_SECONDS))
    return written.getvalue()


@asynccontextmanager
async def counted_cloud(count: Count, *, isolated: bool = False) -> AsyncIterator[CountedCloud]:
    """A running local cloud with nothing in it, which counts."""
    with tempfile.TemporaryDirectory(prefix="alta-bench-") as folder:
        ports = Ports.free()
        cloud = CountedCloud(ports, State(Path(folder)), fresh=True, isolated=isolated)
        async with counted(ports.address("firestore"), count) as cloud.firestore, running(cloud):
            yield cloud


async def measure(files: int) -> costs.Counts:
    """Takes this many files the whole way; what was counted meanwhile."""
    count: Count = Counter()
    async with counted_cloud(count) as cloud, admin(cloud) as http:
        return await _measured(cloud, http, count, dict(material(files)))


async def _measured(
    cloud: CountedCloud, http: httpx.AsyncClient, count: Count, files: Mapping[str, bytes]
) -> costs.Counts:
    session = await new_session(http)
    await answer_at_once(cloud)
    before, began = await _counters(http, cloud), datetime.now().astimezone()
    count.clear()
    await _travel(http, session["id"], files)
    after = await _counters(http, cloud)
    lines = [line for line in _lines(cloud) if datetime.fromisoformat(line["time"]) >= began]
    billed = {name: number for name, number in count.items() if name != "commits"}
    operations = billed | {name: after[name] - before[name] for name in after} | _functions(lines)
    operations["logging.gib"] = sum(len(json.dumps(line)) for line in lines) / GIB
    return costs.Counts(uploads=len(files), operations=operations)


async def _travel(http: httpx.AsyncClient, session_id: str, files: Mapping[str, bytes]) -> None:
    """The files from the manifest to the session's end, eight at a time; the status is asked for as clients do."""
    job = await start(http, session_id, [described(path, content) for path, content in files.items()])
    turn = asyncio.Semaphore(8)

    async def upload(file: Mapping[str, Any]) -> None:
        async with turn:
            (await send(file["upload"], files[file["path"]])).raise_for_status()

    await asyncio.gather(*map(upload, job["files"]))
    status = await ended(http, job["job_id"], limit=600)
    if status["status"] != "completed":
        raise RuntimeError(f"the session ended otherwise: {status}")


async def _counters(http: httpx.AsyncClient, cloud: CountedCloud) -> dict[str, float]:
    """What the emulators have counted since they started, as billable operations."""

    async def asked(part: str, path: str = "counters") -> Any:
        return (await http.get(f"{cloud.ports.url(part)}/_alta/{path}")).raise_for_status().json()

    storage = await asked("storage")
    queues = (await asked("tasks_control", "queues"))["queues"]
    read, heard = (await asked("documentai_control"))["calls"], (await asked("speech_control"))["calls"]
    requests = storage["requests"]
    return {
        "storage.class_a": sum(requests.get(method, 0) for method in ("PUT", "POST")),
        "storage.class_b": sum(requests.get(method, 0) for method in ("GET", "HEAD")),
        "pubsub.kib": PUBSUB_KIB * storage["notifications"].get("published", 0),
        # A task is created by one call and dispatched by another.
        "tasks.operations": sum(2 * queue["dispatched"] + queue["depth"] for queue in queues),
        "documentai.pages": read.get("ProcessDocument", 0),
        "speech.seconds": SPEECH_SECONDS * heard.get("Recognize", 0),
    }


def _lines(cloud: CountedCloud) -> Iterator[dict[str, Any]]:
    """The lines that the functions logged."""
    for text in cloud.state.log(FUNCTIONS).read_text().splitlines():
        if text.startswith("{"):
            yield json.loads(text)


def _functions(lines: list[dict[str, Any]]) -> dict[str, float]:
    """Requests, and the time in which an instance of each function was busy, with its CPU and memory."""
    intervals: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for line in lines:
        if line["message"] == "request":
            ended_at = datetime.fromisoformat(line["time"]).timestamp()
            took = float(line["httpRequest"]["latency"].removesuffix("s"))
            intervals[line["function"]].append((ended_at - took, ended_at))
    busy = {name: _union(found) for name, found in intervals.items()}
    sized = {one.name: one for one in functions()}
    return {
        "functions.requests": sum(map(len, intervals.values())),
        "functions.vcpu_seconds": sum(time * float(sized[name].cpu) for name, time in busy.items()),
        "functions.gib_seconds": sum(time * costs.gib(sized[name].memory) for name, time in busy.items()),
        "armor.requests": sum(len(found) for name, found in intervals.items() if sized[name].kind is Kind.HTTP),
    }


def _union(intervals: list[tuple[float, float]]) -> float:
    """Seconds that at least one of these intervals covers: an instance is billed once, however many it serves."""
    covered, reached = 0.0, float("-inf")
    for began, finished in sorted(intervals):
        covered += max(0.0, finished - max(began, reached))
        reached = max(reached, finished)
    return covered


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.operations", description=__doc__)
    parser.add_argument("--files", type=int, default=100, help="files to upload")
    counts = asyncio.run(measure(parser.parse_args().files))
    COUNTS.parent.mkdir(exist_ok=True)
    COUNTS.write_text(counts.model_dump_json(indent=2) + "\n")
    print(f"{costs.BATCH:,} uploads, from {counts.uploads:,} counted\n\n{costs.bill(counts.per_batch())}")


if __name__ == "__main__":
    main()
