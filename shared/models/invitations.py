"""Members of projects, and invitations to become one."""

from typing import Annotated

from pydantic import StringConstraints

from shared.models.identity import Email, ProjectRole
from shared.models.records import Asked, Frozen, Moment, Record

InvitationToken = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""The token out of an invitation."""


class Invitation(Record):
    """An invitation to a project; one for each project and address, so that a repeated one replaces the one before."""

    company_id: str
    project_id: str
    project_name: str
    email: str
    role: ProjectRole
    invited_by: str
    invited_by_name: str
    token_hash: str | None = None
    """SHA-256 of the token in the last mail; None until one is written."""
    expires_at: Moment
    accepted_at: Moment | None = None

    def is_open(self, moment: Moment) -> bool:
        """Whether it can be accepted at this moment."""
        return self.deleted_at is None and self.accepted_at is None and moment < self.expires_at


class NewInvitation(Asked):
    """Somebody to be invited."""

    email: Email
    role: ProjectRole = ProjectRole.CONTRIBUTOR


class InvitationHeld(Asked):
    """An invitation by its token, in the body: what stands in a path is logged by every server on the way."""

    token: InvitationToken


class InvitationView(Frozen):
    """An invitation as the project's managers see it."""

    id: str
    project_id: str
    email: str
    role: ProjectRole
    invited_by: str
    created_at: Moment
    expires_at: Moment
    accepted_at: Moment | None


class InvitationPreview(Frozen):
    """An invitation as whoever holds its token sees it."""

    project_name: str
    invited_by_name: str
    email: str
    role: ProjectRole
    expires_at: Moment


class MemberView(Frozen):
    """A member of a project."""

    user_id: str
    email: str
    name: str
    role: ProjectRole
    guest: bool
    """Whether they belong to another company than the project, or to none."""


class MemberChange(Asked):
    """The role that a member is to have."""

    role: ProjectRole
