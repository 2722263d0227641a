"""Requests that carry an Idempotency-Key are done once, and answered alike as often as they come.

The first of equal requests claims the key with a conditional write and works under a lease; the others wait for its
answer, for a while. What succeeded is replayed for 24 hours. An error that changed nothing is replayed for seconds, so
that a burst is answered alike and a corrected request may take the same key. After a fault of ours nobody knows how far
the work came: the next attempt begins anew and makes the same ids (`records.ids_from`), so it meets its own records.

An answer may hold a token or a signed URL. It is stored sealed with what only the sender of the request knows: the key
and the body.
"""

import asyncio
import hashlib
import secrets
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared import logs
from shared.errors import IdempotencyMismatch, RequestInFlight, Unavailable
from shared.models.idempotency import Answer, KeyedRequest
from shared.models.records import derived_id, ids_from, now
from shared.store import firestore, idempotency
from shared.store.firestore import Conflict, Write

KEPT = timedelta(hours=24)
"""How long what succeeded is replayed."""
ERRORS_KEPT = timedelta(seconds=10)
"""How long an error that changed nothing is replayed."""
LEASE = timedelta(seconds=75)
"""How long a claim holds: the timeout of the functions that answer clients, and some."""
PATIENCE = 20.0
"""Seconds that an equal request waits for the answer to the first."""
LARGEST = 900_000
"""Bytes of a sealed answer; a document holds 1 MiB."""
_GAPS = (0.05, 0.1, 0.2, 0.4)
_NEVER_KEPT = frozenset({401, 429})
"""Say nothing of the request itself: the next one may be answered otherwise at once."""

_log = logs.logger(__name__)

Work = Callable[[], Awaitable[Answer]]


@dataclass(frozen=True)
class Key:
    """A key as it was sent: by whom (a user id, or the address of somebody unknown), with which path and body."""

    key: str
    sender: str
    path: str
    body: bytes

    @property
    def request_id(self) -> str:
        """The id of its record: a key is its sender's own."""
        return derived_id("idm", self.sender, self.key)

    @property
    def fingerprint(self) -> str:
        """The same for equal requests only."""
        return self._hash(b"fingerprint").hexdigest()

    def sealed(self, answer: Answer) -> bytes:
        """The answer, compressed, readable with this key and body only."""
        nonce = secrets.token_bytes(12)
        return nonce + self._cipher().encrypt(nonce, zlib.compress(answer.model_dump_json().encode()), None)

    def opened(self, sealed: bytes) -> Answer:
        """What `sealed` sealed."""
        return Answer.model_validate_json(zlib.decompress(self._cipher().decrypt(sealed[:12], sealed[12:], None)))

    def _cipher(self) -> AESGCM:
        return AESGCM(self._hash(b"seal").digest())

    def _hash(self, purpose: bytes) -> "hashlib._Hash":
        parts = (purpose, self.key.encode(), self.path.encode(), self.body)
        return hashlib.sha256(b"".join(len(part).to_bytes(8) + part for part in parts))


async def answered(key: Key, work: Work) -> tuple[Answer, bool]:
    """The answer to a request with this key, and whether it is a replay.

    Two commits and no read for the first of its kind. Raises IdempotencyMismatch when the key was used for another
    request, RequestInFlight when the first one takes longer than others can wait.
    """
    claimed = await _claimed(key)
    if isinstance(claimed, Answer):
        return claimed, True
    try:
        with ids_from(claimed.seed):
            answer = await work()
    except BaseException:
        await _write(idempotency.change(claimed, {"leased_until": now()}))
        raise
    await _keep(key, claimed, answer)
    return answer, False


async def _claimed(key: Key) -> KeyedRequest | Answer:
    """Our claim to do the work, or the answer of somebody who did it."""
    wanted = _new(key)
    try:
        return await _committed(wanted, idempotency.create(wanted))
    except Conflict:
        pass
    patience, gaps = PATIENCE, iter(_GAPS)
    while True:
        held = await idempotency.get(wanted.id)
        try:
            found = await _decided(key, wanted, held)
        except Conflict:
            continue  # somebody was faster: look at what they did
        if found is not None:
            return found
        gap = next(gaps, _GAPS[-1])
        if (patience := patience - gap) < 0:
            raise RequestInFlight("The first request with this key is still being worked on.", retry_after=2)
        await asyncio.sleep(gap)


def _new(key: Key) -> KeyedRequest:
    moment = now()
    return KeyedRequest(
        id=key.request_id,
        created_at=moment,
        updated_at=moment,
        fingerprint=key.fingerprint,
        seed=secrets.token_hex(16),
        leased_until=moment + LEASE,
        expires_at=moment + KEPT,
    )


async def _decided(key: Key, wanted: KeyedRequest, held: KeyedRequest | None) -> KeyedRequest | Answer | None:
    """A claim, an answer, or None while somebody else works on it."""
    if held is None:
        return await _committed(wanted, idempotency.create(wanted))
    equal = held.fingerprint == wanted.fingerprint
    is_error = held.status is not None and held.status >= 400
    if held.expires_at <= now() or (is_error and not equal):
        return await _committed(wanted, idempotency.replace_expired(held, wanted))
    if not equal:
        raise IdempotencyMismatch("This Idempotency-Key was used for another request.")
    if held.answer is not None:
        try:
            return key.opened(held.answer)
        except InvalidTag as error:
            raise IdempotencyMismatch("This Idempotency-Key was used for another request.") from error
    if held.leased_until > now():
        return None
    again = {"leased_until": wanted.leased_until}
    return await _committed(held.model_copy(update=again), idempotency.change(held, again))


async def _committed(request: KeyedRequest, write: Write) -> KeyedRequest:
    return request.model_copy(update={"version": await firestore.commit(write)})


async def _keep(key: Key, claimed: KeyedRequest, answer: Answer) -> None:
    sealed = key.sealed(answer)
    if answer.status >= 500 or answer.status in _NEVER_KEPT or len(sealed) > LARGEST:
        await _write(idempotency.change(claimed, {"leased_until": now()}))
        return
    fields = {"status": answer.status, "answer": sealed}
    if answer.status >= 400:
        fields["expires_at"] = now() + ERRORS_KEPT
    await _write(idempotency.change(claimed, fields))


async def _write(write: Write) -> None:
    """Tells the others; when that fails the lease ends by itself, and whoever comes then makes the same records."""
    try:
        await firestore.commit(write)
    except (Conflict, Unavailable):
        _log.warning("answer_not_kept")
