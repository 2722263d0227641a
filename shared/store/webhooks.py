"""Webhooks and the log of their deliveries, which the database deletes in time (TTL on `expires_at`)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.models.webhooks import WEBHOOKS_LIMIT, Delivery, Webhook
from shared.store import firestore
from shared.store.firestore import Condition, Query, Write

WEBHOOKS = "webhooks"
DELIVERIES = "deliveries"


async def get(webhook_id: str) -> Webhook | None:
    """A webhook, deleted or not; one read."""
    return await firestore.get(Webhook, f"{WEBHOOKS}/{webhook_id}")


async def of_project(project_id: str) -> list[Webhook]:
    """The living webhooks of a project, oldest first; one read for each."""
    asked = Query(
        WEBHOOKS,
        where=(("project_id", "==", project_id), ("deleted_at", "==", None)),
        order=("created_at",),
        limit=WEBHOOKS_LIMIT,
    )
    return await firestore.query(Webhook, asked)


async def every(limit: int, after: tuple[Any, ...] | None) -> list[Webhook]:
    """Webhooks of all projects, deleted ones too, oldest first; one read for each."""
    return await firestore.query(Webhook, Query(WEBHOOKS, order=("created_at",), limit=limit, start_after=after))


def create(webhook: Webhook) -> Write:
    """Writes a new webhook."""
    return firestore.create(WEBHOOKS, webhook)


def change(webhook: Webhook, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of a webhook, if it still is the version that was read."""
    return firestore.change(WEBHOOKS, webhook, fields)


async def delivery(delivery_id: str) -> Delivery | None:
    """A delivery; one read."""
    return await firestore.get(Delivery, f"{DELIVERIES}/{delivery_id}")


async def deliveries(webhook_id: str, limit: int, after: tuple[Any, ...] | None) -> list[Delivery]:
    """The deliveries of a webhook, newest first; one read for each."""
    where: tuple[Condition, ...] = (("webhook_id", "==", webhook_id),)
    asked = Query(DELIVERIES, where=where, order=("-created_at",), limit=limit, start_after=after)
    return await firestore.query(Delivery, asked)


async def overdue(before: datetime, limit: int) -> list[Delivery]:
    """Deliveries whose next attempt was due before this moment, the oldest first; one read for each.

    What is delivered or given up on has no next attempt.
    """
    where: tuple[Condition, ...] = (("next_attempt_at", "<", before),)
    return await firestore.query(Delivery, Query(DELIVERIES, where=where, order=("next_attempt_at",), limit=limit))


def create_delivery(delivery: Delivery) -> Write:
    """Writes a new delivery."""
    return firestore.create(DELIVERIES, delivery)


def change_delivery(delivery: Delivery, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of a delivery, if it still is the version that was read."""
    return firestore.change(DELIVERIES, delivery, fields)
