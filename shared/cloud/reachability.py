"""Whether Google's services, or the emulators in their place, accept a connection. Needs none of their libraries.

Each raises Unavailable or an OSError, or takes longer than the caller waits, when the service is away.
"""

import asyncio
from functools import lru_cache

import grpc.aio
import httpx

from shared.errors import Unavailable
from shared.settings import emulator, settings

_CERTIFICATES = "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com"
"""What identity tokens are verified with."""


async def tasks() -> None:
    """Returns when Cloud Tasks accepts a connection."""
    await _connected("CLOUD_TASKS_EMULATOR_HOST", "cloudtasks.googleapis.com")


async def pubsub() -> None:
    """Returns when Pub/Sub accepts a connection."""
    await _connected("PUBSUB_EMULATOR_HOST", "pubsub.googleapis.com")


async def documentai() -> None:
    """Returns when Document AI accepts a connection."""
    location = settings().documentai_processor.split("/")[3]
    await _connected("DOCUMENTAI_EMULATOR_HOST", f"{location}-documentai.googleapis.com")


async def speech() -> None:
    """Returns when Speech-to-Text accepts a connection."""
    location = settings().speech_location
    await _connected("SPEECH_EMULATOR_HOST", f"{'' if location == 'global' else location + '-'}speech.googleapis.com")


async def identity() -> None:
    """Returns when identity tokens can be verified."""
    host = emulator("FIREBASE_AUTH_EMULATOR_HOST")
    try:
        answer = await _http().get(f"http://{host}/" if host else _CERTIFICATES)
    except httpx.HTTPError as error:
        raise Unavailable("Sign-in does not answer.") from error
    if answer.is_server_error:
        raise Unavailable("Sign-in does not work.")


async def mail() -> None:
    """Returns when the mail server greets (RFC 5321, 3.1)."""
    reader, writer = await asyncio.open_connection(settings().smtp_host, settings().smtp_port)
    try:
        if not (await reader.readline()).startswith(b"220"):
            raise Unavailable("The mail server does not greet.")
    finally:
        writer.close()


async def _connected(variable: str, host: str) -> None:
    await _channel(emulator(variable), host).channel_ready()


@lru_cache
def _http() -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False)  # once: its certificates take 35 ms of everybody's time to load


@lru_cache
def _channel(local: str | None, host: str) -> grpc.aio.Channel:
    # A service that comes back is seen within a second, not after gRPC's two minutes.
    options = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 1000)]
    if local:
        return grpc.aio.insecure_channel(local, options=options)
    return grpc.aio.secure_channel(f"{host}:443", grpc.ssl_channel_credentials(), options=options)
