"""Invitations to projects: made by who manages the project, accepted by who holds the token and has the address."""

from datetime import timedelta
from typing import Any

from shared.errors import NotFound, StateConflict
from shared.models.audit import Action
from shared.models.identity import Caller, User
from shared.models.invitations import Invitation, InvitationPreview, InvitationView, NewInvitation
from shared.models.mail import LetterKind
from shared.models.projects import Permission, Project
from shared.models.records import now
from shared.services import access, audit, mail, tokens
from shared.services.access import Access
from shared.store import firestore, invitations, projects, users
from shared.store.firestore import Conflict, Write

LIFETIME = timedelta(days=7)
"""How long an invitation is open."""
JOIN_ATTEMPTS = 5
"""How often joining is tried when others join at the same time."""
MEMBERS_LIMIT = 1000
"""Members that a project can have: they live in its document, which Firestore bounds at 1 MiB."""


async def invite(caller: Caller, project_id: str, asked: NewInvitation) -> Invitation:
    """Invites an address, in the place of an invitation it may have already; a mail goes to it.

    Raises StateConflict when the address is a member's, or the project is full.
    """
    project = (await access.fresh_project(caller, project_id, Permission.MANAGE)).project
    if len(project.members) >= MEMBERS_LIMIT:
        raise StateConflict(f"A project has {MEMBERS_LIMIT} members at the most.", details={"state": "full"})
    user = await users.with_email(asked.email)
    if user is not None and user.id in project.members:
        raise StateConflict("This address is a member's already.", details={"state": "member"})
    moment = now()
    invitation = Invitation(
        id=invitations.id_of(project.id, asked.email),
        created_at=moment,
        updated_at=moment,
        company_id=project.company_id,
        project_id=project.id,
        project_name=project.name,
        email=asked.email,
        role=asked.role,
        invited_by=caller.user_id,
        invited_by_name=caller.name,
        expires_at=moment + LIFETIME,
    )
    await firestore.commit(invitations.put(invitation), _entry(Action.INVITED, invitation, caller))
    await mail.ask_for(LetterKind.INVITATION, asked.email, invitation_id=invitation.id)
    return invitation


async def page(caller: Caller, project_id: str, size: int, after: tuple[Any, ...] | None) -> list[Invitation]:
    """The invitations of a project, newest first."""
    await access.fresh_project(caller, project_id, Permission.MANAGE)
    return await invitations.of_project(project_id, size, after)


async def withdraw(caller: Caller, project_id: str, invitation_id: str) -> None:
    """Makes an invitation's token useless. Raises StateConflict when it was accepted."""
    await access.fresh_project(caller, project_id, Permission.MANAGE)
    found = await invitations.get(invitation_id)
    if found is None or found.project_id != project_id or found.deleted_at is not None:
        raise _nothing()
    if found.accepted_at is not None:
        raise StateConflict("This invitation was accepted.", details={"state": "accepted"})
    await firestore.commit(withdrawn(found), _entry(Action.INVITATION_WITHDRAWN, found, caller))


def withdrawn(invitation: Invitation) -> Write:
    """The write that makes an invitation's token useless."""
    return invitations.change(invitation, {"deleted_at": now(), "token_hash": None})


async def preview(token: str) -> InvitationPreview:
    """What an invitation is to; NotFound for a token that is not good."""
    return InvitationPreview(**(await usable(token)).model_dump())


async def usable(token: str) -> Invitation:
    """The open invitation that a token belongs to; two reads, and one of its company as `access` keeps it.

    NotFound for one that is unknown, used, expired or withdrawn, while its project is deleted, and while its company is
    suspended.
    """
    found, _ = await _open(await invitations.with_token(tokens.hashed(token)))
    return found


async def _open(found: Invitation | None) -> tuple[Invitation, Project]:
    """An invitation that can be accepted now, and its project; NotFound for any other."""
    project = await projects.get(found.project_id) if found is not None and found.is_open(now()) else None
    if found is None or project is None or project.deleted_at is not None:
        raise _nothing()
    if await access.is_suspended(project.company_id):
        raise _nothing()
    return found, project


def _nothing() -> NotFound:
    return NotFound("There is no such invitation.")


async def accept(caller: Caller, token: str) -> Access:
    """Makes the caller a member. The invitation of another address does not exist for them."""
    found = await usable(token)
    if found.email != caller.email:
        raise _nothing()
    await join(found, caller.user_id, caller)
    return await access.fresh_project(caller, found.project_id, Permission.READ)


async def join(invitation: Invitation, user_id: str, by: Caller | User) -> None:
    """Makes somebody a member and uses the invitation up. Raises StateConflict when they are one already."""
    for _ in range(JOIN_ATTEMPTS):
        try:
            await firestore.commit(*await _joining(invitation.id, user_id, by))
        except Conflict:
            continue  # somebody else joined the same project, or used the same invitation, meanwhile
        return
    raise Conflict("Many people join this project right now.")


async def _joining(invitation_id: str, user_id: str, by: Caller | User) -> tuple[Write, ...]:
    found, project = await _open(await invitations.get(invitation_id))
    if user_id in project.members:
        raise StateConflict("You are a member already.", details={"state": "member"})
    joined = {f"members.{user_id}": found.role, "member_ids": [*project.member_ids, user_id]}
    return (
        projects.change(project, joined),
        invitations.change(found, {"accepted_at": now(), "token_hash": None}),
        _entry(Action.INVITATION_ACCEPTED, found, by),
    )


def _entry(action: Action, invitation: Invitation, by: Caller | User) -> Write:
    shown = {"project_id": invitation.project_id, "email": invitation.email, "role": invitation.role}
    return audit.entry(action, invitation.id, by=by, company_id=invitation.company_id, after=shown)


def view(invitation: Invitation) -> InvitationView:
    """An invitation as the project's managers see it."""
    return InvitationView(**invitation.model_dump())
