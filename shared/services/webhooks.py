"""Tells webhooks what happened: `emit` is the one call for it.

It costs nothing where a project has no webhook: the webhooks of a project are kept in the instance for as long as every
cache may be.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from cachetools import TTLCache

from shared import logs
from shared.cloud import tasks
from shared.errors import Unavailable
from shared.models.records import derived_id, now
from shared.models.webhooks import Delivery, DeliveryTask, Event, Webhook, WebhookState
from shared.services import envelopes
from shared.services.access import CACHED_SECONDS
from shared.store import firestore, webhooks

QUEUE = "deliveries"
KEPT = timedelta(days=30)
"""How long the log keeps a delivery."""

_log = logs.logger(__name__)
_of_project: TTLCache[str, list[Webhook]] = TTLCache(maxsize=10_000, ttl=CACHED_SECONDS)


async def emit(project_id: str, event: Event, key: str, data: Mapping[str, Any]) -> None:
    """Tells the project's webhooks of an event; `key` names it, so that telling it again is telling it once.

    Two writes for each webhook that wants it. Never fails: what happened has happened, whether or not it can be told.
    """
    try:
        known = _of_project.get(project_id)
        if known is None:
            known = _of_project[project_id] = await webhooks.of_project(project_id)
        for webhook in known:
            if webhook.state is WebhookState.ACTIVE and event in webhook.events:
                await _begin(webhook, event, key, data)
    except Unavailable:
        _log.warning("webhook_not_told", project_id=project_id, webhook_event=event, key=key)


async def _begin(webhook: Webhook, event: Event, key: str, data: Mapping[str, Any]) -> None:
    moment = now()
    delivery = Delivery(
        id=derived_id("msg", webhook.id, event, key),
        created_at=moment,
        updated_at=moment,
        project_id=webhook.project_id,
        webhook_id=webhook.id,
        event=event,
        payload=envelopes.payload(event, moment, data),
        next_attempt_at=moment,
        expires_at=moment + KEPT,
    )
    with suppress(firestore.Conflict):  # told before; its task may have been lost, and a second of its name is none
        await firestore.commit(webhooks.create_delivery(delivery))
    await schedule(delivery)


async def schedule(delivery: Delivery) -> None:
    """Puts the next attempt of a delivery into the queue, due when its record says."""
    task = DeliveryTask(delivery_id=delivery.id, round=delivery.round, tries=delivery.tries)
    name = f"{delivery.id}:{delivery.round}:{delivery.tries}"
    await tasks.enqueue(QUEUE, task, name=name, at=delivery.next_attempt_at)


def forget(project_id: str) -> None:
    """Reads a project's webhooks again for what happens next on this instance; others do within `CACHED_SECONDS`."""
    _of_project.pop(project_id, None)
