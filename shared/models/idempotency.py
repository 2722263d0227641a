"""Requests that may be sent again: what was answered to an Idempotency-Key."""

from shared.models.records import Frozen, Moment, Record


class Answer(Frozen):
    """An answer as it went out; `headers` are those that belong to what was answered, not to the connection."""

    status: int
    headers: dict[str, str]
    body: bytes


class KeyedRequest(Record):
    """A request with a key, while it is worked on and after. The database deletes it some time after `expires_at`."""

    fingerprint: str
    """SHA-256 of key, path and body: another one is another request."""
    seed: str
    """What the ids of the records that it makes are derived from, however often it is begun."""
    leased_until: Moment
    """Until then somebody works on it, if there is no answer yet."""
    expires_at: Moment
    status: int | None = None
    answer: bytes | None = None
    """Sealed: readable only with the request itself."""
