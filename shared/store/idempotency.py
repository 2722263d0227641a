"""Keyed requests and their answers, which the database deletes some time after they expire (TTL on `expires_at`)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.models.idempotency import KeyedRequest
from shared.store import firestore
from shared.store.firestore import Write

IDEMPOTENCY = "idempotency"


async def get(request_id: str) -> KeyedRequest | None:
    """A keyed request; one read."""
    return await firestore.get(KeyedRequest, f"{IDEMPOTENCY}/{request_id}")


def create(request: KeyedRequest) -> Write:
    """Writes a request that must not be there."""
    return firestore.create(IDEMPOTENCY, request)


def replace_expired(expired: KeyedRequest, request: KeyedRequest) -> Write:
    """Writes a request over one that has expired, if it still is the version that was read."""
    return replace(firestore.replace(IDEMPOTENCY, request), version=expired.version)


def change(request: KeyedRequest, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of a request, if it still is the version that was read."""
    return firestore.change(IDEMPOTENCY, request, fields)
