"""Who calls: from a bearer token to a user who is alive, verified and not suspended."""

from dataclasses import dataclass
from datetime import datetime

from cachetools import TTLCache

from shared import errors, logs
from shared.cloud import identity
from shared.models.identity import Caller, User
from shared.services import access
from shared.services.access import CACHED_SECONDS
from shared.store import users


@dataclass(frozen=True)
class _Known:
    caller: Caller
    tokens_valid_after: datetime | None


# By the user's id, which is unique over all tenants. Whether their company is suspended is kept by `access`, apart, so
# that neither makes the other older.
_known: TTLCache[str, _Known] = TTLCache(maxsize=10_000, ttl=CACHED_SECONDS)


async def caller(token: str) -> Caller:
    """The caller that a token stands for; a read of them and one of their company, each none within 30 s of the last.

    Raises Unauthenticated for a token that is not valid, was revoked, or whose user is gone; Suspended and
    EmailNotVerified as for a sign-in.
    """
    claims = await identity.verified(token)
    known = _known.get(claims.user_id)
    logs.bind(logs.correlation(), caller_cache="miss" if known is None else "hit")  # the cache's rate is a metric
    if known is None:
        known = _known[claims.user_id] = await _read(claims.user_id)
    await _require_company(known.caller.company_id)
    if known.tokens_valid_after is not None and claims.signed_in_at < known.tokens_valid_after:
        raise errors.Unauthenticated("This sign-in was ended.")
    return known.caller


def forget(user_id: str) -> None:
    """Reads the user again at their next call to this instance; others do within `CACHED_SECONDS`."""
    _known.pop(user_id, None)


async def admitted(user: User | None) -> User:
    """The user, if they may come in now; one read, of their company."""
    found = _admitted(user)
    if found.company_id is not None:
        access.forget_company(found.company_id)
    await _require_company(found.company_id)
    return found


def _admitted(user: User | None) -> User:
    """The user, if they may come in as far as their own record tells."""
    if user is None or user.deleted_at is not None:
        raise errors.Unauthenticated("The account does not exist any more.")
    if user.suspended_at is not None:
        raise errors.Suspended("This account is suspended.")
    if not user.email_verified:
        raise errors.EmailNotVerified("The e-mail address of this account is not verified yet.")
    return user


async def _require_company(company_id: str | None) -> None:
    if company_id is not None and await access.is_suspended(company_id):
        raise errors.Suspended("The company of this account is suspended.")


async def _read(user_id: str) -> _Known:
    user = _admitted(await users.get(user_id))
    caller = Caller(user_id=user.id, company_id=user.company_id, role=user.role, email=user.email, name=user.name)
    return _Known(caller, user.tokens_valid_after)
