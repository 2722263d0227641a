"""V4 signed URLs: how clients send and fetch bytes without a function in between.

Signed by the client library (https://cloud.google.com/storage/docs/access-control/signed-urls). With a key in the
settings the process signs; without, IAM does, one call a URL (signBlob), so those run side by side but bounded, and are
repeated: under concurrency IAM is known to deny at random what it allows.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared.models.records import now
from shared.settings import emulator, settings
from shared.store.bucket import bucket

if TYPE_CHECKING:
    from google.api_core.retry import Retry

LIFETIME = timedelta(hours=1)
"""How long a URL is good; a client that needs longer asks for a fresh one."""
IAM_CONCURRENCY = 16
"""Calls to IAM at a time from one instance (quota: 60,000 a minute and project)."""

SIGNED_AT_ONCE = 50
"""URLs that one thread signs with the key of the settings."""

_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105  # an address
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


@dataclass(frozen=True)
class Grant:
    """What a signed URL allows: one method on one object, with exactly these headers."""

    object_name: str
    method: str
    headers: dict[str, str] = field(default_factory=dict)
    disposition: str | None = None
    content_type: str | None = None


async def sign(grants: Sequence[Grant]) -> tuple[list[str], datetime]:
    """The URLs of these grants, in their order, and when they expire."""
    expires_at = (now() + LIFETIME).replace(microsecond=0)
    if settings().signing_key is not None:
        slices = [grants[start : start + SIGNED_AT_ONCE] for start in range(0, len(grants), SIGNED_AT_ONCE)]
        # On all cores: RSA lets go of the interpreter.
        signing = [asyncio.to_thread(_all_signed, some, expires_at) for some in slices]
        return [url for urls in await asyncio.gather(*signing) for url in urls], expires_at
    gate = asyncio.Semaphore(IAM_CONCURRENCY)

    async def remotely(grant: Grant) -> str:
        async with gate:
            signed: str = await asyncio.to_thread(_denied()(_signed), grant, expires_at)
            return signed

    return list(await asyncio.gather(*map(remotely, grants))), expires_at


def _all_signed(grants: Sequence[Grant], expires_at: datetime) -> list[str]:
    return [_signed(grant, expires_at) for grant in grants]


def _signed(grant: Grant, expires_at: datetime) -> str:
    url: str = (
        bucket()
        .blob(grant.object_name)
        .generate_signed_url(
            version="v4",
            expiration=expires_at,
            method=grant.method,
            headers=dict(grant.headers) or None,  # a copy: the library adds the host to what it is given
            response_disposition=grant.disposition,
            response_type=grant.content_type,
            credentials=_credentials(),
            api_access_endpoint=emulator("STORAGE_EMULATOR_HOST") or "https://storage.googleapis.com",
        )
    )
    return url


@lru_cache
def _denied() -> "Retry":
    """Repeats what IAM denied."""
    from google.api_core.retry import Retry
    from google.auth.exceptions import TransportError

    return Retry(predicate=lambda error: isinstance(error, TransportError), initial=0.1, maximum=2.0, timeout=10.0)


@lru_cache
def _credentials() -> Any:
    import google.auth
    from google.auth import iam
    from google.auth.transport.requests import Request
    from google.oauth2 import service_account

    # google-auth publishes no types for these; what matters is that the result can sign bytes.
    credentials: Any = service_account.Credentials
    key = settings().signing_key
    if key is not None:
        return credentials.from_service_account_info(json.loads(key.get_secret_value()))
    source: Any = google.auth.default(scopes=[_SCOPE])[0]
    email = settings().signing_account or source.service_account_email
    signer: Any = iam.Signer
    return credentials(signer(Request(), source, email), email, _TOKEN_URI)
