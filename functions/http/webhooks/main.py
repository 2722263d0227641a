"""Webhooks of projects and the log of their deliveries: /api/webhooks."""

from typing import Annotated

from shared.models.webhooks import DeliveryView, NewWebhook, WebhookChange, WebhookSecret, WebhookView
from shared.services import subscriptions
from shared.web.app import http_function, router_at
from shared.web.caller import SignedIn
from shared.web.etags import Conditional
from shared.web.paging import Page, Paged, newest_first

from fastapi import Query, Response

router = router_at("/api/webhooks")


@router.post("", status_code=201)
async def create_webhook(caller: SignedIn, asked: NewWebhook, etag: Conditional) -> WebhookSecret:
    """Makes a webhook; the answer shows its secret, which signs as Standard Webhooks describe. For who manages it."""
    made = await subscriptions.create(caller, asked)
    etag.answer(made.version)
    return subscriptions.with_secret(made)


@router.get("")
async def list_webhooks(caller: SignedIn, project_id: Annotated[str, Query(max_length=100)]) -> Page[WebhookView]:
    """The webhooks of a project, oldest first; at most ten."""
    found = await subscriptions.of_project(caller, project_id)
    return Page(items=[subscriptions.view(webhook) for webhook in found])


@router.get("/{webhook_id}")
async def get_webhook(caller: SignedIn, webhook_id: str, etag: Conditional) -> WebhookView:
    """One webhook, without its secret."""
    found = await subscriptions.get(caller, webhook_id)
    etag.answer(found.version)
    return subscriptions.view(found)


@router.patch("/{webhook_id}")
async def change_webhook(caller: SignedIn, webhook_id: str, asked: WebhookChange, etag: Conditional) -> WebhookView:
    """Changes a webhook; what is not sent stays. `state` disables it, or brings a disabled one back."""
    changed = await subscriptions.update(caller, webhook_id, asked, etag.expected)
    etag.answer(changed.version)
    return subscriptions.view(changed)


@router.delete("/{webhook_id}", status_code=204)
async def delete_webhook(caller: SignedIn, webhook_id: str, etag: Conditional) -> Response:
    """Deletes a webhook."""
    await subscriptions.delete(caller, webhook_id, etag.expected)
    return Response(status_code=204)


@router.post("/{webhook_id}/rotate-secret")
async def rotate_webhook_secret(caller: SignedIn, webhook_id: str, etag: Conditional) -> WebhookSecret:
    """Gives a webhook a new secret. For 24 hours the one before signs too."""
    rotated = await subscriptions.rotate(caller, webhook_id, etag.expected)
    etag.answer(rotated.version)
    return subscriptions.with_secret(rotated)


@router.get("/{webhook_id}/deliveries")
async def list_deliveries(caller: SignedIn, webhook_id: str, paging: Paged) -> Page[DeliveryView]:
    """What a webhook was told in the last 30 days, newest first, with every attempt."""
    found = await subscriptions.deliveries(caller, webhook_id, paging.size, paging.after)
    return paging.page(found, subscriptions.delivery_view, newest_first)


@router.post("/{webhook_id}/deliveries/{delivery_id}/redeliver")
async def redeliver(caller: SignedIn, webhook_id: str, delivery_id: str) -> DeliveryView:
    """Tells it again, under the id that it had."""
    return subscriptions.delivery_view(await subscriptions.redeliver(caller, webhook_id, delivery_id))


main = http_function("webhooks", router)
