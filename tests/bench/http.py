"""How fast one instance answers: one record, and a list of fifty, beside Google's own client doing the same reads.

Beside the list stands the bare query too: our own channel, whose answers nobody decodes. It is what the emulator and
gRPC leave to be had on this machine, whatever is done with the answers.

`python -m tests.bench.http` starts Google's Firestore emulator and the `projects` function, served by the
functions-framework as it is deployed, on this machine, and asks them in turns, so that a busy moment meets all alike.
Exits with 1 when something is slower than it should be.
"""

import argparse
import asyncio
import base64
import json
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import AsyncClient, AsyncQuery, FieldFilter

from emulators import java
from emulators.ports import HOST, free_ports
from infra.catalog import FUNCTIONS, ROOT
from shared.errors import Unavailable
from shared.models.identity import Company, ProjectRole, Role, User
from shared.models.projects import Project
from shared.models.records import new_id, now
from shared.store import companies, connection, firestore, projects, users, wire
from shared.store.firestore import Condition
from tests import loopback
from tests.bench.load import load

CONNECTIONS = 16
LISTED = 50
ONE_RECORD = 0.6
"""Of the raw client's gets a second."""
LIST_RATE = 450
"""Lists of fifty a second."""
MEMORY = 120
"""MiB of the function's process."""
MIB = 2**20
START_LIMIT = 60.0
PROJECT = "alta-bench"

_EMULATOR = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"


@contextmanager
def started(command: list[str], port: int, environment: Mapping[str, str]) -> Iterator[psutil.Process]:
    """A process that listens on a port, ended in the end."""
    with tempfile.TemporaryFile() as log:
        process = psutil.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stdout=log, stderr=log)
        try:
            limit = time.monotonic() + START_LIMIT
            while not _listens(port):
                if not process.is_running() or time.monotonic() > limit:
                    log.seek(0)
                    raise RuntimeError(log.read().decode(errors="replace"))
                time.sleep(0.05)
            yield process
        finally:
            process.terminate()
            process.wait(START_LIMIT)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def settings_of(firestore_port: int) -> dict[str, str]:
    """What the function is told. Nobody listens where sign-in should be: tokens are only looked at."""
    return {
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "BUCKET": PROJECT,
        "FUNCTION_URL": f"http://{HOST}:1/{{name}}",
        "DOCUMENTAI_PROCESSOR": f"projects/{PROJECT}/locations/eu/processors/ocr",
        "CURSOR_KEY": "0123456789abcdef0123456789abcdef",
        "FIRESTORE_EMULATOR_HOST": f"{HOST}:{firestore_port}",
        "FIREBASE_AUTH_EMULATOR_HOST": f"{HOST}:1",
        "NO_GCE_CHECK": "true",
        "LOG_LEVEL": "INFO",
    }


def token(user_id: str) -> str:
    """An access token as the emulator of Firebase Auth makes it: unsigned."""
    moment = int(time.time())
    claims = {
        "iss": f"https://securetoken.google.com/{PROJECT}",
        "aud": PROJECT,
        "sub": user_id,
        "iat": moment,
        "auth_time": moment,
        "exp": moment + 3600,
    }
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (_NO_SIGNATURE, claims)
    ]
    return f"{parts[0]}.{parts[1]}."


_NO_SIGNATURE = {"alg": "none", "typ": "JWT"}


async def filled() -> tuple[User, list[Project]]:
    """A company with a user and fifty projects."""
    moment = now()
    company = Company(id=new_id("cmp"), created_at=moment, updated_at=moment, name="Bench")
    user = User(
        id=new_id("usr"), created_at=moment, updated_at=moment, company_id=company.id, email="bench@example.org",
        name="Bench", role=Role.USER, email_verified=True,
    )  # fmt: skip
    made = [
        Project(
            id=new_id("prj"), created_at=now(), updated_at=moment, company_id=company.id, name=f"Project {number}",
            description="A project with a description of some length, as people write them.", open_to=company.id,
            members={user.id: ProjectRole.ADMIN}, member_ids=[user.id], languages=["en"], created_by=user.id,
        )
        for number in range(LISTED)
    ]  # fmt: skip
    await _warm()
    await firestore.commit(companies.create(company), *users.create(user), *map(projects.create, made))
    return user, made


async def _warm() -> None:
    """The emulator's first commit takes seconds on a busy machine, and may be given up on."""
    for _ in range(10):
        try:
            await firestore.commit(firestore.Write("warm/up", {"warm": True}))
        except Unavailable:
            continue
        return


async def raw(work: Callable[[], Awaitable[object]], seconds: float) -> float:
    """How often a second Google's own client does this, with as many at once as there are connections."""
    until, done = time.perf_counter() + seconds, 0

    async def one_after_the_other() -> None:
        nonlocal done
        while time.perf_counter() < until:
            await work()
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(CONNECTIONS)))
    return done / (time.perf_counter() - began)


class Bench:
    """The function and the raw client, over the same records."""

    def __init__(self, user: User, made: list[Project], port: int, function: psutil.Process) -> None:
        self._headers = {"Authorization": f"Bearer {token(user.id)}"}
        self._port = port
        self._function = function
        self._one = made[0].id
        client = AsyncClient(project=PROJECT, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]  # google-auth publishes no types here
        self._document = client.collection("projects").document(self._one)
        listed = client.collection("projects").where(filter=FieldFilter("open_to", "==", user.company_id))
        self._query = listed.order_by("created_at", direction=AsyncQuery.DESCENDING).limit(LISTED)
        where: tuple[Condition, ...] = (("open_to", "==", user.company_id), ("deleted_at", "==", None))
        asked = firestore.Query("projects", where=where, order=("-created_at",), limit=LISTED)
        parent, structured = wire.query(connection.root(), asked)
        self._bare = wire.RunQuery(parent=parent, structured_query=structured)

    async def _undecoded(self) -> None:
        async for _ in connection.run_query(self._bare):
            pass

    async def rounds(self, count: int, seconds: float) -> dict[str, list[float]]:
        """Requests a second of each, and the function's CPU in ms for each request, in turns."""
        found: dict[str, list[float]] = {}
        ways: dict[str, Callable[[], Awaitable[float]]] = {
            "raw get": lambda: raw(self._document.get, seconds),
            "one record": lambda: self._load(f"/api/projects/{self._one}", seconds, found),
            "raw list": lambda: raw(self._query.get, seconds),
            "bare query": lambda: raw(self._undecoded, seconds),
            "list of 50": lambda: self._load(f"/api/projects?page_size={LISTED}", seconds, found),
        }
        for _ in range(count):
            for name, way in ways.items():
                found.setdefault(name, []).append(await way())
        return found

    async def _load(self, path: str, seconds: float, found: dict[str, list[float]]) -> float:
        before = self._cpu()
        got = await load(self._port, path, self._headers, connections=CONNECTIONS, seconds=seconds)
        found.setdefault(f"{path.partition('?')[0].count('/')} cpu", []).append(
            (self._cpu() - before) / got.rate / seconds * 1000
        )
        found.setdefault(f"{path.partition('?')[0].count('/')} p99", []).append(got.p99)
        return got.rate

    def _cpu(self) -> float:
        return sum(sum(one.cpu_times()[:2]) for one in _family(self._function))


async def measured(port: int, function: psutil.Process, rounds: int, seconds: float) -> dict[str, float]:
    """The median of each figure, after a round that warms everything up."""
    user, made = await filled()
    bench = Bench(user, made, port, function)
    async with loopback.client(f"http://{HOST}:{port}", headers=bench._headers) as client:
        answer = await client.get("/api/projects", params={"page_size": LISTED})
        answer.raise_for_status()
        if len(answer.json()["items"]) != LISTED:
            raise RuntimeError(answer.text)
    await bench.rounds(1, seconds)
    found = await bench.rounds(rounds, seconds)
    return {name: statistics.median(values) for name, values in found.items()}


def main(rounds: int, seconds: float) -> int:
    """Measures, prints, and tells by 1 that something is too slow."""
    emulator_port, port = free_ports(2)
    environment = settings_of(emulator_port)
    os.environ.update(environment)
    jar = str(java.jar(java.FIRESTORE, print))
    emulator = [java.java(), "-cp", jar, _EMULATOR, "start", "--host", HOST, "--port", str(emulator_port)]
    framework = str(Path(sys.executable).with_name("functions-framework"))
    source = str(FUNCTIONS / "http" / "projects" / "main.py")
    function = [framework, "--target=main", f"--source={source}", "--asgi"]
    serving = {**environment, "HOST": HOST, "PORT": str(port), "PYTHONPATH": str(ROOT)}
    with ExitStack() as running:
        running.enter_context(started(emulator, emulator_port, {}))
        process = running.enter_context(started(function, port, serving))
        found = asyncio.run(measured(port, process, rounds, seconds))
        memory = max(one.memory_info().rss for one in _family(process)) / MIB
    for name, value in found.items():
        print(f"{name:14}{value:10.2f}")
    print(f"{'memory, MiB':14}{memory:10.0f}")
    share = found["one record"] / found["raw get"]
    print(
        f"one record: {share:.2f} of the raw client (at least {ONE_RECORD}); "
        f"list: {found['list of 50']:.0f}/s (at least {LIST_RATE})"
    )
    return int(share < ONE_RECORD or found["list of 50"] < LIST_RATE or memory > MEMORY)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.http", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="turns, of which the median counts")
    parser.add_argument("--seconds", type=float, default=4.0, help="of load in each turn")
    given = parser.parse_args()
    raise SystemExit(main(given.rounds, given.seconds))
