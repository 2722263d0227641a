"""Tokens that are used once."""

from shared.models.tokens import Token
from shared.store import firestore
from shared.store.firestore import Write

TOKENS = "tokens"


async def get(token_hash: str) -> Token | None:
    """The token of this hash, if it was not used; one read."""
    return await firestore.get(Token, f"{TOKENS}/{token_hash}")


def create(token: Token) -> Write:
    """Writes a new token."""
    return firestore.create(TOKENS, token)


def use(token: Token) -> Write:
    """Uses a token up; the commit conflicts when somebody did."""
    return Write(f"{TOKENS}/{token.id}", None, version=token.version)
