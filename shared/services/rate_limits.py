"""How often something may be asked, counted in Firestore so that all instances count together.

A quota is counted in windows that begin at whole multiples of their length; a refused caller waits for the next one.
"""

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cachetools import TTLCache

from shared import logs
from shared.errors import RateLimited
from shared.models.records import derived_id, now
from shared.settings import settings
from shared.store import rate_limits
from shared.store.rate_limits import KnownAddress

KNOWN_ADDRESS = timedelta(days=30)
"""How long an address stays known that somebody signed in from."""


@dataclass(frozen=True)
class Quota:
    """At most `limit` requests in each window of `window` seconds."""

    name: str
    limit: int
    window: int


@dataclass(frozen=True)
class Standing:
    """Where somebody stands in a quota; it starts anew in `resets_in` seconds. Negative `remaining`: refused."""

    quota: Quota
    remaining: int
    resets_in: int

    def require(self) -> None:
        """Raises RateLimited when the quota is used up."""
        if self.remaining < 0:
            raise RateLimited(
                f"More than {self.quota.limit} requests of this kind in {self.quota.window} s.",
                details={"quota": self.quota.name, "limit": self.quota.limit, "window_seconds": self.quota.window},
                retry_after=self.resets_in,
            )


# A wrong password costs one of each of these two. The first stops guessing from one place and is forgiven by a right
# password; the second stops guessing from many places and does not hold from where the account was used before, so
# that nobody can keep somebody else out of it.
GUESSES_HERE = Quota("sign-in-account-address", 20, 600)
GUESSES_ANYWHERE = Quota("sign-in-account", 30, 300)
MAIL_TO = Quota("mail-account", 5, 3600)
"""Mail that may be asked for to one address, whoever asks."""
REFRESH = Quota("refresh-account", 120, 60)

# Counters that are full in their window: refused without another write.
_full: TTLCache[str, None] = TTLCache(maxsize=10_000, ttl=60)


async def take(quota: Quota, *key: str) -> Standing:
    """Counts one request of whoever `key` names; one write, none when the quota was seen to be used up."""
    counter_id, ends = _counter(quota, key)
    resets_in = max(1, math.ceil(ends - time.time()))
    if counter_id in _full:
        return Standing(quota, -1, resets_in)
    count = await rate_limits.count(counter_id, datetime.fromtimestamp(ends, UTC))
    if count > quota.limit:
        _full[counter_id] = None
    return Standing(quota, quota.limit - count, resets_in)


async def take_for_address(quota: Quota, address: str) -> Standing:
    """As `take`, with the limit that fits how many people share an address in this deployment."""
    limit = max(1, round(quota.limit * settings().address_quota_factor))
    return await take(Quota(quota.name, limit, quota.window), address)


def _counter(quota: Quota, key: tuple[str, ...]) -> tuple[str, float]:
    window = int(time.time() // quota.window)
    return derived_id("rl", quota.name, window, *key), float((window + 1) * quota.window)


async def before_sign_in(account: str) -> None:
    """Counts an attempt to sign in with a password; RateLimited when there were too many."""
    address = logs.bound("client_address")
    (await take(GUESSES_HERE, account, address)).require()
    known = await rate_limits.known_address(_known_id(account, address))
    if known is None or known.expires_at <= now():
        (await take(GUESSES_ANYWHERE, account)).require()


async def after_sign_in(account: str) -> None:
    """Forgives what was counted for this address, and remembers it."""
    address, moment = logs.bound("client_address"), now()
    counter_id, _ = _counter(GUESSES_HERE, (account, address))
    known_id = _known_id(account, address)
    known = await rate_limits.known_address(known_id)
    await rate_limits.clear(counter_id)
    if known is None or known.expires_at < moment + KNOWN_ADDRESS / 2:
        await rate_limits.remember_address(
            KnownAddress(id=known_id, created_at=moment, updated_at=moment, expires_at=moment + KNOWN_ADDRESS)
        )


def _known_id(account: str, address: str) -> str:
    return derived_id("known", account, address)
