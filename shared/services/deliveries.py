"""Tries deliveries of webhooks, with growing gaps, and gives up on addresses that fail for days.

Nothing here is permanent for the queue: an attempt that fails is written down and the next one scheduled; only when
that can't be done is the task itself tried again. A receiver may get a message twice, with the same `webhook-id`.
"""

from datetime import timedelta
from typing import Any

from shared import logs
from shared.cloud import outside
from shared.models.records import now
from shared.models.webhooks import ATTEMPT_GAPS, Attempt, Delivery, DeliveryState, DeliveryTask, Webhook, WebhookState
from shared.services import envelopes
from shared.services import webhooks as emission
from shared.store import firestore, projects, webhooks

ATTEMPTS_SHOWN = 20
"""The latest attempts that the log shows."""
DISABLED_AFTER = timedelta(days=3)
"""A webhook to which nothing could be delivered for so long is told nothing more."""
_GONE = 410
"""The receiver wants nothing more (Standard Webhooks)."""

_log = logs.logger(__name__)


async def attempt(asked: DeliveryTask) -> None:
    """Tries a delivery once; three reads and one or two writes.

    What a webhook of a deleted project was to be told is never told, not even when the project is restored: then it is
    too late.
    """
    delivery = await webhooks.delivery(asked.delivery_id)
    if delivery is None or delivery.state is not DeliveryState.PENDING:
        return
    if (delivery.round, delivery.tries) != (asked.round, asked.tries):
        await emission.schedule(delivery)  # this attempt was made; the next may have been lost on the way
        return
    webhook = await _listening(delivery)
    if webhook is None:
        await _write(delivery, {"state": DeliveryState.FAILED, "next_attempt_at": None})
        return
    began = now()
    headers = envelopes.headers(webhook, delivery, began)
    reply = await outside.post(webhook.url, headers, delivery.payload.encode())
    made = Attempt(at=began, status=reply.status, error=reply.error, milliseconds=reply.milliseconds)
    good = reply.status is not None and 200 <= reply.status < 300
    written = await _write(delivery, _fields(delivery, made, good=good))
    _log.info("webhook_attempt", webhook_id=webhook.id, delivery_id=delivery.id, status=reply.status, error=reply.error)
    if written.state is DeliveryState.PENDING:
        await emission.schedule(written)
    await _note(webhook, made, good=good)


async def _listening(delivery: Delivery) -> Webhook | None:
    """The webhook of a delivery; None when it is not to be told any more."""
    webhook = await webhooks.get(delivery.webhook_id)
    if webhook is None or webhook.deleted_at is not None or webhook.state is WebhookState.DISABLED:
        return None
    return webhook if await projects.is_living(delivery.project_id) else None


def _fields(delivery: Delivery, made: Attempt, *, good: bool) -> dict[str, Any]:
    attempts = [one.model_dump() for one in (*delivery.attempts, made)][-ATTEMPTS_SHOWN:]
    last = delivery.tries >= len(ATTEMPT_GAPS) or made.status == _GONE
    fields: dict[str, Any] = {"attempts": attempts, "tries": delivery.tries + 1, "next_attempt_at": None}
    if good:
        return {**fields, "state": DeliveryState.DELIVERED}
    if last:
        return {**fields, "state": DeliveryState.FAILED}
    return {**fields, "next_attempt_at": now() + timedelta(seconds=ATTEMPT_GAPS[delivery.tries])}


async def _write(delivery: Delivery, fields: dict[str, Any]) -> Delivery:
    version = await firestore.commit(webhooks.change_delivery(delivery, fields))
    return Delivery.model_validate({**delivery.model_dump(), **fields, "version": version})


async def _note(webhook: Webhook, made: Attempt, *, good: bool) -> None:
    """Remembers since when a webhook fails, and disables one that did for too long or wants nothing more."""
    since = webhook.failing_since or made.at
    gives_up = made.status == _GONE or made.at - since >= DISABLED_AFTER
    changes: dict[str, Any] = {}
    if good and webhook.failing_since is not None:
        changes = {"failing_since": None}
    elif not good and gives_up:
        changes = {"state": WebhookState.DISABLED, "failing_since": since}
    elif not good and webhook.failing_since is None:
        changes = {"failing_since": since}
    if not changes:
        return
    try:
        await firestore.commit(webhooks.change(webhook, changes))
    except firestore.Conflict:
        _log.info("webhook_changed_meanwhile", webhook_id=webhook.id)  # the next attempt sees it
