"""How a webhook's message is written and signed (Standard Webhooks, symmetric signatures `v1`)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.models.webhooks import Delivery, Event, Webhook

_PREFIX = "whsec_"


def payload(event: Event, moment: datetime, data: Mapping[str, Any]) -> str:
    """The body: what happened, when, and to what."""
    told = {"type": event, "timestamp": moment.isoformat().replace("+00:00", "Z"), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def headers(webhook: Webhook, delivery: Delivery, moment: datetime) -> dict[str, str]:
    """The headers of an attempt; signed with each secret that is good at this moment."""
    timestamp = int(moment.timestamp())
    good = [webhook.secret]
    if webhook.previous_secret and webhook.previous_until and webhook.previous_until > moment:
        good.append(webhook.previous_secret)
    signed = f"{delivery.id}.{timestamp}.{delivery.payload}".encode()
    return {
        "Content-Type": "application/json",
        "User-Agent": "Alta-Webhooks",
        "webhook-id": delivery.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{_signature(secret, signed)}" for secret in good),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
