"""How a webhook's message is signed (Standard Webhooks, symmetric signatures `v1`)."""

import base64
import hashlib
import hmac
from datetime import datetime

from shared.models.webhooks import Delivery, Webhook
from shared.services import sealing

_PREFIX = "whsec_"


def headers(webhook: Webhook, delivery: Delivery, moment: datetime) -> dict[str, str]:
    """The headers of an attempt; signed with each secret that is good at this moment."""
    timestamp = int(moment.timestamp())
    good = [webhook.sealed_secret]
    if webhook.previous_sealed_secret and webhook.previous_until and webhook.previous_until > moment:
        good.append(webhook.previous_sealed_secret)
    signed = f"{delivery.id}.{timestamp}.{delivery.payload}".encode()
    return {
        "Content-Type": "application/json",
        "User-Agent": "Alta-Webhooks",
        "webhook-id": delivery.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{_signature(sealing.opened(one, webhook.id), signed)}" for one in good),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
