"""Webhooks: addresses of a project's people that are told what happened, and each telling.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from enum import StrEnum
from typing import Annotated

from pydantic import AnyHttpUrl, Field, StringConstraints

from shared.models.records import Asked, Frozen, Id, Moment, Record, unsent

WEBHOOKS_LIMIT = 10
"""Webhooks in one project."""
ATTEMPT_GAPS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each further attempt, as Standard Webhooks suggests; the last is over three days after the first."""


class Event(StrEnum):
    """What a webhook can be told of."""

    SESSION_COMPLETED = "session.completed"
    ASSET_PROCESSED = "asset.processed"
    ASSET_FAILED = "asset.failed"
    REVIEW_DECIDED = "review.decided"
    EXPORT_READY = "export.ready"


class WebhookState(StrEnum):
    """Whether a webhook is told; `disabled` after lasting failure, or by who manages the project."""

    ACTIVE = "active"
    DISABLED = "disabled"


class DeliveryState(StrEnum):
    """How far a telling has come."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Webhook(Record):
    """An address that is told. During a rotation both secrets sign."""

    company_id: str
    project_id: str
    url: str
    events: list[Event]
    description: str = ""
    sealed_secret: str
    """Of no use without the platform's sealing key."""
    previous_sealed_secret: str | None = None
    previous_until: Moment | None = None
    state: WebhookState = WebhookState.ACTIVE
    failing_since: Moment | None = None
    """Since when nothing was delivered; None while it works."""
    created_by: str


class Attempt(Frozen):
    """One try. `status` is HTTP's, null when there was no answer; then `error` says why. `milliseconds`: how long."""

    at: Moment
    status: Annotated[int | None, Field(examples=[200])]
    error: str | None
    milliseconds: int


class Delivery(Record):
    """One event for one webhook. The database deletes it some time after `expires_at`."""

    project_id: str
    webhook_id: str
    event: Event
    payload: str
    """The body as it is signed and sent."""
    state: DeliveryState = DeliveryState.PENDING
    round: int = 0
    """How often it was asked for again."""
    tries: int = 0
    """Attempts of this round."""
    attempts: list[Attempt] = []
    """The latest."""
    next_attempt_at: Moment | None = None
    expires_at: Moment


class DeliveryTask(Frozen):
    """Try this delivery; a task of another round or try than the record says is one that came twice."""

    delivery_id: str
    round: int
    tries: int


# --- on the wire

Url = Annotated[AnyHttpUrl, Field(max_length=2_000)]
Events = Annotated[list[Event], Field(min_length=1, max_length=len(Event))]
Description = Annotated[str, StringConstraints(max_length=500)]


class NewWebhook(Asked):
    """A webhook to be made. The address must be public, and HTTPS."""

    project_id: Id
    url: Url
    events: Events
    description: Description = ""


class WebhookChange(Asked):
    """What may change of a webhook; a field that is not sent stays. `state` active brings a disabled one back."""

    url: Url = unsent()
    events: Events = unsent()
    description: Description = unsent()
    state: WebhookState = unsent()


class WebhookView(Frozen):
    """A webhook as who manages the project sees it; the secret is shown when it is made."""

    id: str
    project_id: str
    url: str
    events: list[Event]
    description: str
    state: WebhookState
    failing_since: Moment | None
    previous_until: Moment | None
    """Until then the secret before this one signs too."""
    created_by: str
    created_at: Moment
    updated_at: Moment


class WebhookSecret(WebhookView):
    """A webhook with its secret, which is not shown again."""

    secret: str


class DeliveryView(Frozen):
    """A delivery in the log. `id` is what the receiver gets as `webhook-id`, the same at every attempt."""

    id: str
    webhook_id: str
    event: Event
    payload: str
    state: DeliveryState
    attempts: list[Attempt]
    next_attempt_at: Moment | None
    created_at: Moment
    updated_at: Moment
