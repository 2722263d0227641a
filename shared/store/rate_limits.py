"""Counters of requests, which the database deletes some time after their window (TTL on `expires_at`)."""

from datetime import datetime

from shared.models.records import Record
from shared.store import firestore

RATE_LIMITS = "rate_limits"


class KnownAddress(Record):
    """A network address that somebody signed in from."""

    expires_at: datetime


async def count(counter_id: str, expires_at: datetime) -> int:
    """Counts one more; returns how many there are now. One write."""
    return await firestore.increment(f"{RATE_LIMITS}/{counter_id}", {"expires_at": expires_at})


async def clear(*counter_ids: str) -> None:
    """Forgets counters."""
    await firestore.commit(*(firestore.delete(f"{RATE_LIMITS}/{counter_id}") for counter_id in counter_ids))


async def known_address(address_id: str) -> KnownAddress | None:
    """What is known of an address; one read."""
    return await firestore.get(KnownAddress, f"{RATE_LIMITS}/{address_id}")


async def remember_address(address: KnownAddress) -> None:
    """Writes what is known of an address."""
    await firestore.commit(firestore.replace(RATE_LIMITS, address))
