"""The server under test as a process, and the account that signs for it."""

import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from unittest.mock import patch

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Blob, Client
from google.oauth2.service_account import Credentials

from emulators.ports import HOST, free_ports
from tests import loopback

PROJECT = "alta-local"
START_LIMIT = 60.0
"""Seconds a server may take to answer."""


@dataclass(frozen=True)
class Account:
    """A service account: its e-mail, its credentials for signing, its public key in PEM, and its key file's content."""

    email: str
    credentials: Credentials
    public_key: bytes
    described: dict[str, str]

    @classmethod
    def create(cls, email: str) -> Self:
        """A new account with a new key."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        described = {"client_email": email, "private_key": pem, "token_uri": "http://127.0.0.1/unused"}
        credentials = Credentials.from_service_account_info(described)  # type: ignore[no-untyped-call]  # typed in part
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return cls(email, credentials, public, described)

    def sign(
        self,
        blob: Blob,
        method: str,
        *,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        seconds: int = 600,
        signed_at: datetime | None = None,
    ) -> str:
        """A V4 signed URL made by google-cloud-storage, at another moment when one is given."""

        def now(_zone: object) -> datetime:
            return signed_at or datetime.now(UTC)

        with patch("google.cloud.storage._signing._NOW", now):
            url = blob.generate_signed_url(
                version="v4",
                expiration=timedelta(seconds=seconds),
                method=method,
                headers=dict(headers or {}),
                query_parameters=dict(query or {}),
                credentials=self.credentials,
            )
        return str(url)


class Server:
    """A server on a free port, which keeps port and state when it is started again."""

    def __init__(self, folder: Path, account: Account, pubsub: str = "none") -> None:
        self.address = f"{HOST}:{free_ports(1)[0]}"
        self.url = f"http://{self.address}"
        anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]  # typed in part
        self.client = Client(PROJECT, anonymous, client_options={"api_endpoint": self.url})
        self._http = loopback.blocking(self.url)
        self._folder = folder
        self._pubsub = pubsub
        (folder / "signer.pem").write_bytes(account.public_key)
        self._signer = f"{account.email}={folder / 'signer.pem'}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.client.close()
        self._http.close()
        self.stop()

    def start(self) -> None:
        """Start, and wait until it is ready."""
        host, port = self.address.split(":")
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "emulators.storage", "--host", host, "--port", port),
                *("--state", str(self._folder / "state"), "--pubsub", self._pubsub, "--project", PROJECT),
                *("--signer-public-key", self._signer, "--hmac-key", "GOOG1ALTA=secret"),
            ]
        )
        started = time.monotonic()
        while not self._ready():
            assert self._process.poll() is None, "the server ended"
            assert time.monotonic() - started < START_LIMIT, "the server does not get ready"
            time.sleep(0.02)

    def stop(self) -> int:
        """End it as the runner does; gives the exit code."""
        assert self._process
        self._process.terminate()
        return self._process.wait(timeout=20)

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        assert self._process
        self._process.kill()
        self._process.wait(timeout=20)

    @property
    def pid(self) -> int:
        """Of its process."""
        assert self._process
        return self._process.pid

    def fail(self, method: str, path_prefix: str, **fault: int | None) -> None:
        """Let the next matching request fail."""
        body = {"match": {"method": method, "path_prefix": path_prefix}, **fault}
        self._http.post("/_alta/faults", json=body).raise_for_status()

    def counters(self) -> dict[str, dict[str, int]]:
        """The control API's counters."""
        found: dict[str, dict[str, int]] = self._http.get("/_alta/counters").json()
        return found

    def files(self) -> list[Path]:
        """The files of objects and of unfinished uploads."""
        state = self._folder / "state"
        return [path for part in ("incoming", "stored") for path in (state / part).rglob("*") if path.is_file()]

    def _ready(self) -> bool:
        try:
            return self._http.get("/_alta/ready").is_success
        except httpx.TransportError:
            return False
