"""What was done, by whom: an entry is a write of the same commit as the change it tells of."""

from collections.abc import Mapping
from typing import Any

from shared import logs
from shared.models.audit import Action, AuditEntry
from shared.models.identity import Caller, User
from shared.models.records import now, random_id
from shared.store import audit
from shared.store.firestore import Write

_NEVER = frozenset(
    {
        "password",
        "token",
        "token_hash",
        "public_key",
        "credential_id",
        "secret",
        "sealed_secret",
        "previous_sealed_secret",
    }
)
"""Fields that no entry shows, whatever somebody passes."""


def entry(
    action: Action,
    target_id: str,
    *,
    by: Caller | User | None,
    company_id: str | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Write:
    """The write that tells of a change; `company_id` is the tenant it happened in."""
    moment = now()
    return audit.append(
        AuditEntry(
            # Never derived: work that is done again tells of it again, and is not refused for what it told before.
            id=random_id("aud"),
            created_at=moment,
            updated_at=moment,
            company_id=company_id,
            actor_id=by.user_id if isinstance(by, Caller) else by.id if by else None,
            actor_email=by.email if by else None,
            action=action,
            target_id=target_id,
            before=_shown(before),
            after=_shown(after),
            request_id=logs.correlation().request_id,
            address=logs.bound("client_address"),
        )
    )


def _shown(fields: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (fields or {}).items() if name not in _NEVER}
