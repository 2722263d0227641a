"""Tokens: 256 random bits, stored only as their SHA-256, used once, and not for long."""

import hashlib
import secrets
from datetime import timedelta

from shared.errors import TokenRefused
from shared.models.records import now
from shared.models.tokens import Purpose, Token
from shared.store import tokens
from shared.store.firestore import Write

TOKEN_BYTES = 32
"""Random bytes of a token: 256 bits, 43 letters."""

LIFETIMES = {
    Purpose.VERIFICATION: timedelta(hours=24),
    Purpose.PASSWORD: timedelta(hours=1),
    Purpose.PASSKEY_REGISTRATION: timedelta(minutes=5),
    Purpose.PASSKEY_LOGIN: timedelta(minutes=5),
}
"""How long a token is valid, unless it is said otherwise."""


def random() -> str:
    """A new token."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hashed(token: str) -> str:
    """What is stored of a token. No salt: it is random enough by itself."""
    return hashlib.sha256(token.encode()).hexdigest()


def issue(purpose: Purpose, user_id: str | None, lifetime: timedelta | None = None) -> tuple[str, Write]:
    """A new token, and the write that makes it valid."""
    token, moment = random(), now()
    record = Token(
        id=hashed(token),
        created_at=moment,
        updated_at=moment,
        purpose=purpose,
        user_id=user_id,
        expires_at=moment + (lifetime or LIFETIMES[purpose]),
    )
    return token, tokens.create(record)


async def valid(purpose: Purpose, token: str) -> Token:
    """The record of a token that can be used for this; one read. Raises TokenRefused."""
    found = await tokens.get(hashed(token))
    if found is None or found.purpose is not purpose or found.expires_at <= now():
        raise TokenRefused("This link or challenge was used already, has expired, or never was ours.")
    return found
