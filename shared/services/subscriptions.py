"""Webhooks as who manages a project makes, changes and follows them."""

import base64
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from shared.cloud import outside
from shared.errors import NotFound, StateConflict, ValidationFailed
from shared.models.audit import Action
from shared.models.identity import Caller
from shared.models.projects import Permission
from shared.models.records import new_id, now
from shared.models.webhooks import (
    WEBHOOKS_LIMIT,
    Delivery,
    DeliveryState,
    DeliveryView,
    NewWebhook,
    Webhook,
    WebhookChange,
    WebhookSecret,
    WebhookState,
    WebhookView,
)
from shared.services import access, audit, changes, sealing
from shared.services import webhooks as emission
from shared.services.changes import Change
from shared.store import firestore, webhooks

ROTATION = timedelta(hours=24)
"""How long the secret before a rotation signs too."""
_PAGE = 100
_SECRET_BYTES = 32
"""Between the 24 and 64 that Standard Webhooks asks for."""


async def create(caller: Caller, asked: NewWebhook) -> Webhook:
    """A new webhook with a secret of its own, which is stored sealed; one commit."""
    found = await access.project(caller, asked.project_id, Permission.MANAGE)
    await _require_public(str(asked.url))
    if len(await webhooks.of_project(asked.project_id)) >= WEBHOOKS_LIMIT:
        raise StateConflict(f"A project has at most {WEBHOOKS_LIMIT} webhooks.")
    moment, webhook_id = now(), new_id("whk")
    webhook = Webhook(
        id=webhook_id,
        created_at=moment,
        updated_at=moment,
        company_id=found.project.company_id,
        project_id=asked.project_id,
        url=str(asked.url),
        events=sorted(set(asked.events)),
        description=asked.description,
        sealed_secret=_new_secret(webhook_id),
        created_by=caller.user_id,
    )
    entry = audit.entry(
        Action.WEBHOOK_CREATED,
        webhook.id,
        by=caller,
        company_id=webhook.company_id,
        after=asked.model_dump(mode="json"),
    )
    made = await changes.create(webhook, webhooks.get, webhooks.create(webhook), entry)
    emission.forget(asked.project_id)
    return made


def _new_secret(webhook_id: str) -> str:
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"
    return sealing.seal(secret, webhook_id)


async def _require_public(url: str) -> None:
    try:
        await outside.checked(url)
    except outside.AddressRefused as refused:
        details = [{"field": "url", "message": str(refused)}]
        raise ValidationFailed(f"Nothing is sent to this address. {refused}", details=details) from None


async def get(caller: Caller, webhook_id: str) -> Webhook:
    """A webhook as it is now; one read when the project is cached."""
    webhook, _ = await access.record(caller, await webhooks.get(webhook_id), Permission.MANAGE, "webhook")
    return webhook


async def of_project(caller: Caller, project_id: str) -> list[Webhook]:
    """The webhooks of a project, oldest first."""
    await access.project(caller, project_id, Permission.MANAGE)
    return await webhooks.of_project(project_id)


async def update(caller: Caller, webhook_id: str, asked: WebhookChange, version: int | None) -> Webhook:
    """Changes what was sent, if `version` is current or None."""
    sent = asked.model_dump(exclude_unset=True, mode="json")
    if "url" in sent:
        await _require_public(sent["url"])
    if sent.get("state") == WebhookState.ACTIVE:
        sent["failing_since"] = None
    return await _change(caller, Action.WEBHOOK_CHANGED, webhook_id, sent, version)


async def rotate(caller: Caller, webhook_id: str, version: int | None) -> Webhook:
    """Gives a webhook a new secret; the old one signs too for `ROTATION`, so that receivers can follow."""
    webhook = await get(caller, webhook_id)
    fields = {
        "sealed_secret": _new_secret(webhook_id),
        "previous_sealed_secret": webhook.sealed_secret,
        "previous_until": now() + ROTATION,
    }
    return await _change(caller, Action.WEBHOOK_SECRET_ROTATED, webhook_id, fields, version or webhook.version)


async def reseal() -> int:
    """Seals with the first of the sealing keys what others sealed, so that those can go; how many webhooks it was."""
    count, after = 0, None
    while True:
        page = await webhooks.every(_PAGE, after)
        for webhook in page:
            count += await _reseal(webhook)
        if len(page) < _PAGE:
            return count
        after = (page[-1].created_at, page[-1].id)


async def _reseal(webhook: Webhook) -> bool:
    """False for one that is sealed with the first key; raises firestore.Conflict when it is changed meanwhile."""
    earlier = webhook.model_dump(include={"sealed_secret", "previous_sealed_secret"}, exclude_none=True)
    fields = {
        name: sealing.seal(sealing.opened(sealed, webhook.id), webhook.id)
        for name, sealed in earlier.items()
        if not sealing.is_current(sealed)
    }
    if fields:
        await firestore.commit(webhooks.change(webhook, fields))
    return bool(fields)


async def delete(caller: Caller, webhook_id: str, version: int | None) -> None:
    """Tells nothing more to this address."""
    await _change(caller, Action.WEBHOOK_DELETED, webhook_id, {"deleted_at": now()}, version)


async def _change(
    caller: Caller, action: Action, webhook_id: str, fields: Mapping[str, Any], version: int | None
) -> Webhook:
    async def read() -> Webhook:
        return await get(caller, webhook_id)

    changed = await changes.make(Change(caller, action, version), read, lambda _: fields, webhooks.change)
    emission.forget(changed.project_id)
    return changed


# --- the log


async def deliveries(caller: Caller, webhook_id: str, size: int, after: tuple[Any, ...] | None) -> list[Delivery]:
    """What a webhook was told, newest first."""
    await get(caller, webhook_id)
    return await webhooks.deliveries(webhook_id, size, after)


async def redeliver(caller: Caller, webhook_id: str, delivery_id: str) -> Delivery:
    """Tells it again, from the first attempt on, under the id that it had."""
    await get(caller, webhook_id)
    delivery = await webhooks.delivery(delivery_id)
    if delivery is None or delivery.webhook_id != webhook_id:
        raise NotFound("There is no such delivery.")
    fields = {"state": DeliveryState.PENDING, "round": delivery.round + 1, "tries": 0, "next_attempt_at": now()}
    version = await firestore.commit(webhooks.change_delivery(delivery, fields))
    again = delivery.model_copy(update={**fields, "version": version})
    await emission.schedule(again)
    return again


def view(webhook: Webhook) -> WebhookView:
    """The webhook without its secret."""
    return WebhookView(**webhook.model_dump())


def with_secret(webhook: Webhook) -> WebhookSecret:
    """The webhook with its secret, for the one answer that shows it."""
    return WebhookSecret(**webhook.model_dump(), secret=sealing.opened(webhook.sealed_secret, webhook.id))


def delivery_view(delivery: Delivery) -> DeliveryView:
    """The delivery as the log shows it."""
    return DeliveryView(**delivery.model_dump())
