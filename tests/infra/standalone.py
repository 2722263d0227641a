"""A function alone: its zip unpacked into an empty place, with only its own requirements, started as it is deployed."""

import os
import socket
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from emulators.ports import free_ports
from infra.catalog import EventTrigger, Function, HttpTrigger, ScheduleTrigger
from tests import loopback
from tests.environments import BUILD, environment

START_LIMIT = 60.0
"""Seconds within which a function answers for the first time, on a busy machine."""

# What Terraform sets and a function refuses to start without.
ENVIRONMENT = {
    "GOOGLE_CLOUD_PROJECT": "alta-test",
    "BUCKET": "alta-test",
    "FUNCTION_URL": "http://127.0.0.1:1/{name}",
    "DOCUMENTAI_PROCESSOR": "projects/alta-test/locations/eu/processors/ocr",
    "CURSOR_KEY": "0123456789abcdef0123456789abcdef",
    "FUNCTION_USE_ASGI": "true",
}


def unpack(archive: Path, folder: Path, *, compiled: bool = False) -> Path:
    """Unpacks a zip to `folder/source`, beside an environment `folder/venv` of its requirements; gives the folder.

    With `compiled`, packages and source are compiled, as Google's build does and a single start has no use for.
    """
    source = folder / "source"
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(source)
    python = environment(folder / "venv", "-r", str(source / "requirements.txt"), compiled=compiled)
    if compiled:
        compile_source(python, source)
    return folder


def compile_source(python: str, source: Path) -> None:
    """Compiles the source of a function as Google's build does.

    As `BuildFn` in https://github.com/GoogleCloudPlatform/buildpacks (cmd/python/functions_framework/lib/lib.go).
    """
    command = [python, "-m", "compileall", "-f", "-q", "."]
    subprocess.run(command, cwd=source, env={**os.environ, **BUILD}, check=True)


@contextmanager
def started(folder: Path, **settings: str) -> Iterator[httpx.Client]:
    """The unpacked function, served by its own functions-framework; a client of it."""
    (port,) = free_ports(1)
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [folder / "venv" / "bin" / "functions-framework", "--target=main", "--host=127.0.0.1", f"--port={port}"],
            cwd=folder / "source",
            env=kept | ENVIRONMENT | settings,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_listening(process, port, folder / "log")
            with loopback.blocking(f"http://127.0.0.1:{port}", timeout=START_LIMIT) as client:
                yield client
        finally:
            process.terminate()
            process.wait(timeout=START_LIMIT)


def _wait_until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    limit = time.monotonic() + START_LIMIT
    while time.monotonic() < limit:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
            raise AssertionError(f"the function ended before it answered:\n{log.read_text()}")
    raise AssertionError(f"nothing listened within {START_LIMIT} s:\n{log.read_text()}")


def asked(function: Function, client: httpx.Client) -> httpx.Response:
    """The answer to the least that can be asked without a database: no token, an event that is none, a clock that asks
    with the wrong method."""
    match function.trigger:
        case HttpTrigger(paths=(path, *_)):
            return client.get(path)
        case ScheduleTrigger():
            return client.get("/")
        case EventTrigger():
            return client.post("/", json={"message": {}})
        case _:
            return client.post("/", json={})
