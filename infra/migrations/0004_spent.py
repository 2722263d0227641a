"""Budgets add up `spent`, which the first assets were written without: it was what their last reading took."""

from collections.abc import Mapping
from typing import Any

COLLECTIONS = ("assets",)
FIELDS = ("kind", "twin_of", "pages", "duration_seconds", "processed_at", "spent_at")
_MEASURES = {"document": "pages", "voice": "duration_seconds"}


def change(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was spent and when, for what was recognised itself and does not say so yet."""
    if document.get("spent_at") is not None or document.get("twin_of") is not None:
        return {}
    amount, moment = document.get(_MEASURES.get(document["kind"], "")), document.get("processed_at")
    return {"spent": float(amount), "spent_at": moment} if amount and moment else {}
