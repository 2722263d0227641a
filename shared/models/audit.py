"""What was done, by whom: the audit log."""

from enum import StrEnum
from typing import Any

from shared.models.records import Frozen, Moment, Record


class Action(StrEnum):
    """What can be done that somebody may ask about later."""

    REGISTERED = "user.registered"
    VERIFIED = "user.verified"
    SIGNED_IN = "user.signed_in"
    SIGNED_OUT = "user.signed_out"
    PASSWORD_CHANGED = "user.password_changed"  # noqa: S105  # the name of an action
    GOOGLE_LINKED = "user.google_linked"
    USER_CREATED = "user.created"
    USER_CHANGED = "user.changed"
    USER_SUSPENDED = "user.suspended"
    USER_DELETED = "user.deleted"
    USER_RESTORED = "user.restored"
    SUPER_ADMIN_MADE = "user.super_admin_made"
    SUPER_ADMIN_UNMADE = "user.super_admin_unmade"
    PASSKEY_REGISTERED = "passkey.registered"
    PASSKEY_RENAMED = "passkey.renamed"
    PASSKEY_REMOVED = "passkey.removed"
    COMPANY_CREATED = "company.created"
    COMPANY_CHANGED = "company.changed"
    COMPANY_SUSPENDED = "company.suspended"
    COMPANY_RESTORED = "company.restored"
    INVITED = "invitation.created"
    INVITATION_WITHDRAWN = "invitation.withdrawn"
    INVITATION_ACCEPTED = "invitation.accepted"
    MEMBER_CHANGED = "member.changed"
    MEMBER_REMOVED = "member.removed"
    PROJECT_CREATED = "project.created"
    PROJECT_CHANGED = "project.changed"
    PROJECT_DELETED = "project.deleted"
    PROJECT_RESTORED = "project.restored"
    CYCLE_CREATED = "cycle.created"
    CYCLE_CHANGED = "cycle.changed"
    CYCLE_DELETED = "cycle.deleted"
    CYCLE_RESTORED = "cycle.restored"
    SESSION_CREATED = "session.created"
    SESSION_CHANGED = "session.changed"
    SESSION_DELETED = "session.deleted"
    SESSION_RESTORED = "session.restored"
    SESSION_CANCELLED = "session.cancelled"
    ASSET_REPROCESSED = "asset.reprocessed"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_SECRET_ROTATED = "webhook.secret_rotated"  # noqa: S105  # the name of an action
    WEBHOOK_DELETED = "webhook.deleted"
    EXPORT_REQUESTED = "export.requested"
    EXPORT_CANCELLED = "export.cancelled"
    DEAD_LETTER_REPLAYED = "dead_letter.replayed"
    ASSET_CREATED = "asset.created"
    ASSET_CHANGED = "asset.changed"
    ASSET_DELETED = "asset.deleted"
    ASSET_RESTORED = "asset.restored"
    REVIEW_SUBMITTED = "review.submitted"
    REVIEW_APPROVED = "review.approved"
    REVIEW_REJECTED = "review.rejected"
    REVIEW_SENT_BACK = "review.sent_back"
    REVIEW_UNDONE = "review.undone"
    TEXT_CORRECTED = "text.corrected"
    ASSET_LABELLED = "asset.labelled"
    LABEL_SET_CHANGED = "label_set.changed"
    ERASED = "erased"
    """For good, after its time; `after` holds the ids and the counts."""


class AuditEntry(Record):
    """One change: who, what, on what, before and after, in which request, from which address. Never changed."""

    company_id: str | None
    actor_id: str | None
    """None for what the platform's operator did by command."""
    actor_email: str | None
    action: str
    target_id: str
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    request_id: str
    address: str
    """Network address of the client; empty for what no request did."""


class AuditView(Frozen):
    """An entry as an administrator sees it."""

    id: str
    created_at: Moment
    company_id: str | None
    actor_id: str | None
    actor_email: str | None
    action: str
    target_id: str
    before: dict[str, Any]
    after: dict[str, Any]
    request_id: str
    address: str
