"""What the local cloud keeps between runs, and the environment that its functions get."""

import base64
import fcntl
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.errors import CannotStartError
from emulators.ports import HOST, Ports

PROJECT = "alta-local"
BUCKET = "alta-local"
REGION = "europe-west1"
SIGNER = f"signer@{PROJECT}.iam.gserviceaccount.com"
INVOKER = f"invoker@{PROJECT}.iam.gserviceaccount.com"

_KEY_BITS = 2048
"""As the keys that Google makes for service accounts."""


@dataclass(frozen=True)
class State:
    """A folder that holds everything one local cloud keeps."""

    folder: Path

    @contextmanager
    def held(self, *, fresh: bool = False) -> Iterator[None]:
        """Makes the folders, and keeps other clouds out; `fresh` forgets what was there.

        Raises CannotStartError when a local cloud that runs holds this state.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CannotStartError(
                    f"A local cloud that keeps its state in {self.folder} runs already. Stop it first."
                ) from None
            if fresh:
                self._forget()
            for name in ("logs", "firestore", "auth", "storage", "tasks", "documentai", "speech", "scheduler"):
                self.of(name).mkdir(exist_ok=True)
            yield

    def _forget(self) -> None:
        for entry in self.folder.iterdir():
            if entry.is_dir():
                rmtree(entry)
            elif entry.name != "lock":
                entry.unlink()

    def of(self, part: str) -> Path:
        """The folder of one part."""
        return self.folder / part

    def log(self, part: str) -> Path:
        """Where a part writes what it has to say."""
        return self.folder / "logs" / f"{part}.log"

    @property
    def signer(self) -> Path:
        """The key of the local service account that signs URLs, in the shape of Google's key files; made once."""
        path = self.folder / "signer.json"
        if not path.exists():
            _write_private(path, json.dumps(_service_account(), indent=2))
        return path

    @property
    def signer_public_key(self) -> Path:
        """The public half of `signer`, as PEM; the storage emulator verifies with it."""
        path = self.folder / "signer.pem"
        if not path.exists():
            private = json.loads(self.signer.read_text())["private_key"]
            key = serialization.load_pem_private_key(private.encode(), password=None)
            path.write_bytes(
                key.public_key().public_bytes(
                    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
                )
            )
        return path

    @property
    def cursor_key(self) -> str:
        """The key of page tokens; made once, so that a token outlives a restart."""
        return self._key("cursor", secrets.token_urlsafe(32))

    @property
    def sealing_key(self) -> str:
        """The key that seals the secrets of webhooks; made once, since what it sealed is kept too."""
        return self._key("sealing", base64.b64encode(secrets.token_bytes(32)).decode())

    def _key(self, name: str, wanted: str) -> str:
        path = self.folder / f"{name}.key"
        if not path.exists():
            _write_private(path, wanted)
        return path.read_text()


def environment(ports: Ports, state: State) -> Mapping[str, str]:
    """The environment of every function: all that `shared.settings` asks for, and the emulators' addresses."""
    return {
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "REGION": REGION,
        "BUCKET": BUCKET,
        "PUBLIC_URL": ports.url("gateway"),
        "FUNCTION_URL": f"{ports.url('internal')}/{{name}}",
        "INVOKER_SERVICE_ACCOUNT": INVOKER,
        "DOCUMENTAI_PROCESSOR": f"projects/{PROJECT}/locations/eu/processors/ocr",
        "SIGNING_ACCOUNT": SIGNER,
        "SIGNING_KEY": state.signer.read_text(),
        "CURSOR_KEY": state.cursor_key,
        "SEALING_KEYS": state.sealing_key,
        "SMTP_HOST": HOST,
        "SMTP_PORT": str(ports.smtp),
        "WEBHOOK_LOOPBACK": "true",  # receivers that are tried out run on this machine too
        "ADDRESS_QUOTA_FACTOR": "1000",  # everybody who calls has the same address
        "FIRESTORE_EMULATOR_HOST": ports.address("firestore"),
        "PUBSUB_EMULATOR_HOST": ports.address("pubsub"),
        "FIREBASE_AUTH_EMULATOR_HOST": ports.address("auth"),
        "STORAGE_EMULATOR_HOST": ports.url("storage"),
        "CLOUD_TASKS_EMULATOR_HOST": ports.address("tasks"),
        "DOCUMENTAI_EMULATOR_HOST": ports.address("documentai"),
        "SPEECH_EMULATOR_HOST": ports.address("speech"),
        "NO_GCE_CHECK": "true",  # Google's libraries would look for a metadata server, for seconds
    }


def _service_account() -> Mapping[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": secrets.token_hex(20),
        "private_key": pem.decode(),
        "client_email": SIGNER,
        "client_id": "0",
        "token_uri": "https://oauth2.googleapis.com/token",
    }


def _write_private(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.write_text(content)
