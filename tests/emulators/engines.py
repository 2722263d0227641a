"""Running engines for tests: processes on free ports, and the measures of what they read and hear."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx

from emulators.ports import Ports
from tests import loopback

START_LIMIT = 90.0
"""Seconds; a model takes two, on a machine that does nothing else."""
STOP_LIMIT = 20.0

PROJECT = "alta-test"
BUCKET = "engines"


@dataclass(frozen=True)
class Running:
    """An engine that answers: `address` of its API, its control door, its process."""

    address: str
    control: httpx.Client
    process: "subprocess.Popen[bytes]"

    def counters(self) -> dict[str, dict[str, int]]:
        """What it has done so far."""
        counters: dict[str, dict[str, int]] = self.control.get("/_alta/counters").json()
        return counters

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.terminate()
        return self.process.wait(STOP_LIMIT)


@dataclass(frozen=True)
class Bucket:
    """The bucket that engines read from and write to."""

    storage: str
    client: httpx.Client

    def put(self, name: str, content: bytes, content_type: str) -> str:
        """Store an object; its `gs://` address."""
        response = self.client.post(
            f"/upload/storage/v1/b/{BUCKET}/o",
            params={"uploadType": "media", "name": name},
            content=content,
            headers={"content-type": content_type},
        )
        response.raise_for_status()
        return f"gs://{BUCKET}/{name}"

    def get(self, uri: str) -> bytes:
        """The bytes of an object."""
        name = uri.removeprefix(f"gs://{BUCKET}/").replace("/", "%2F")
        response = self.client.get(f"/storage/v1/b/{BUCKET}/o/{name}", params={"alt": "media"})
        response.raise_for_status()
        return response.content

    def names(self, prefix: str) -> list[str]:
        """Names of the objects below a `gs://` folder."""
        params = {"prefix": prefix.removeprefix(f"gs://{BUCKET}/")}
        items = self.client.get(f"/storage/v1/b/{BUCKET}/o", params=params).json().get("items", [])
        return [item["name"] for item in items]


@contextmanager
def engine(name: str, storage: str, state: Path) -> Iterator[Running]:
    """`emulators.{name}`, started, and ended at the latest on leaving."""
    ports = Ports.free()
    command = [
        sys.executable, "-m", f"emulators.{name}", "--port", str(ports.documentai), "--control-port",
        str(ports.documentai_control), "--storage", storage, "--state", str(state),
    ]  # fmt: skip
    with _process(command, f"http://127.0.0.1:{ports.documentai_control}") as (process, client):
        yield Running(f"127.0.0.1:{ports.documentai}", client, process)


@contextmanager
def bucket(state: Path) -> Iterator[Bucket]:
    """The storage emulator with one empty bucket."""
    port = Ports.free().storage
    command = [
        sys.executable, "-m", "emulators.storage", "--port", str(port), "--state", str(state),
        "--pubsub", "none", "--project", PROJECT,
    ]  # fmt: skip
    with _process(command, f"http://127.0.0.1:{port}") as (_, client):
        client.post("/storage/v1/b", params={"project": PROJECT}, json={"name": BUCKET}).raise_for_status()
        yield Bucket(f"http://127.0.0.1:{port}", client)


@contextmanager
def _process(command: list[str], control: str) -> Iterator[tuple["subprocess.Popen[bytes]", httpx.Client]]:
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    try:
        with closing(loopback.blocking(control, timeout=30)) as client:
            _await_ready(process, client)
            yield process, client
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(STOP_LIMIT)


def _await_ready(process: "subprocess.Popen[bytes]", client: httpx.Client) -> None:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        assert process.poll() is None, f"ended with {process.returncode} instead of serving"
        try:
            if client.get("/_alta/ready").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"not ready within {START_LIMIT} s")


def seconds(duration: object) -> float:
    """A duration of a message, which the clients give as a timedelta whatever their annotations say."""
    assert isinstance(duration, timedelta)
    return duration.total_seconds()


def character_error_rate(heard: str, truth: str) -> float:
    """Edits per character of the truth, white space counted as one blank."""
    return _distance(" ".join(heard.split()), " ".join(truth.split())) / len(" ".join(truth.split()))


def word_error_rate(heard: str, truth: str) -> float:
    """Edits per word of the truth, without regard to case, punctuation and hyphens."""
    words = _words(truth)
    return _distance(_words(heard), words) / len(words)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def _distance(one: "str | list[str]", other: "str | list[str]") -> int:
    """Levenshtein's: insertions, deletions and substitutions."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, start=1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(other, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]
