"""Tells webhooks what happened: a message is written in the commit that it tells of, and put into the queue after it.

So nothing happens that is not told: when the second step fails, or the instance dies before it, `reconcile` finds the
message overdue and takes the step. It costs nothing where a project has no webhook: the webhooks of a project are kept
in the instance for as long as every cache may be.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from cachetools import TTLCache

from shared import logs
from shared.cloud import tasks
from shared.errors import Unavailable
from shared.models.records import derived_id, now
from shared.models.webhooks import Delivery, DeliveryTask, Event, Webhook, WebhookState
from shared.services.access import CACHED_SECONDS
from shared.store import webhooks
from shared.store.firestore import Write

QUEUE = "deliveries"
KEPT = timedelta(days=30)
"""How long the log keeps a delivery."""

_log = logs.logger(__name__)
_of_project: TTLCache[tuple[str, str], list[Webhook]] = TTLCache(maxsize=10_000, ttl=CACHED_SECONDS)
"""By company and project."""


class Changing(Protocol):
    """A record of a company that an event changes."""

    @property
    def id(self) -> str:
        """Which."""

    @property
    def version(self) -> int:
        """As it was read."""

    @property
    def company_id(self) -> str:
        """Whose."""


async def messages(project_id: str, event: Event, of: Changing, data: Mapping[str, Any]) -> list[Delivery]:
    """What the project's webhooks are told of an event, one message for each that wants it.

    `of` is the record that the event changes, as it was read: the commit demands its version, so that the version
    names the event, and a message that is made twice is the same one.
    """
    key = (of.company_id, project_id)
    known = _of_project.get(key)
    if known is None:
        known = _of_project[key] = await webhooks.of_project(project_id)
    wanting = [one for one in known if one.state is WebhookState.ACTIVE and event in one.events]
    return [_message(webhook, event, of, data) for webhook in wanting]


def _message(webhook: Webhook, event: Event, of: Changing, data: Mapping[str, Any]) -> Delivery:
    moment = now()
    return Delivery(
        id=derived_id("msg", webhook.id, event, of.id, of.version),
        created_at=moment,
        updated_at=moment,
        project_id=webhook.project_id,
        webhook_id=webhook.id,
        event=event,
        payload=_payload(event, moment, data),
        next_attempt_at=moment,
        expires_at=moment + KEPT,
    )


def _payload(event: Event, moment: datetime, data: Mapping[str, Any]) -> str:
    """The body: what happened, when, and to what."""
    told = {"type": event, "timestamp": moment.isoformat().replace("+00:00", "Z"), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def writes(told: Sequence[Delivery]) -> list[Write]:
    """Keeps messages; to go into the commit of what they tell."""
    return [webhooks.create_delivery(one) for one in told]


async def send(told: Sequence[Delivery]) -> None:
    """Has messages that were kept delivered. Never fails: what happened has happened, and `reconcile` comes by."""
    try:
        for one in told:
            await schedule(one)
    except Unavailable:
        _log.warning("webhook_not_told", messages=[one.id for one in told])


async def schedule(delivery: Delivery) -> None:
    """Puts the next attempt of a delivery into the queue, due when its record says."""
    task = DeliveryTask(delivery_id=delivery.id, round=delivery.round, tries=delivery.tries)
    name = f"{delivery.id}:{delivery.round}:{delivery.tries}"
    await tasks.enqueue(QUEUE, task, name=name, at=delivery.next_attempt_at)


def forget(project_id: str) -> None:
    """Reads a project's webhooks again for what happens next on this instance; others do within `CACHED_SECONDS`."""
    for key in [key for key in _of_project if key[-1] == project_id]:
        _of_project.pop(key, None)
