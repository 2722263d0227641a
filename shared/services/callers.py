"""Who calls: from a bearer token to a user who is alive, verified and not suspended."""

from cachetools import TTLCache

from shared import errors
from shared.cloud import identity
from shared.models.identity import Caller
from shared.services.access import CACHED_SECONDS
from shared.store import users

_callers: TTLCache[str, Caller] = TTLCache(maxsize=10_000, ttl=CACHED_SECONDS)


async def caller(token: str) -> Caller:
    """The caller that a token stands for; at most one read, none when they called within 30 s.

    Raises Unauthenticated for a token that is not valid or whose user is gone, Suspended for one who is.
    """
    user_id = await identity.user_of(token)
    known = _callers.get(user_id)
    if known is None:
        known = _callers[user_id] = await _read(user_id)
    return known


async def _read(user_id: str) -> Caller:
    user = await users.get(user_id)
    if user is None or user.deleted_at is not None:
        raise errors.Unauthenticated("The account of this token does not exist any more.")
    if user.suspended_at is not None:
        raise errors.Suspended("This account is suspended.")
    return Caller(user_id=user.id, company_id=user.company_id, role=user.role, email=user.email, name=user.name)
