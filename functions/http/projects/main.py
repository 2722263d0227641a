"""Projects, their members and invitations: /api/projects."""

from typing import Annotated

from shared.models.assets import AssetItem
from shared.models.invitations import (
    InvitationHeld,
    InvitationPreview,
    InvitationToken,
    InvitationView,
    MemberChange,
    MemberView,
    NewInvitation,
)
from shared.models.projects import NewProject, ProjectChange, ProjectView
from shared.models.review import Submission
from shared.models.review_queue import Submitted
from shared.services import invitations, members, projects, review
from shared.web.app import http_function, router_at
from shared.web.caller import SignedIn
from shared.web.etags import Conditional
from shared.web.paging import List, Page, Paged, newest_first
from shared.web.rate_limits import INVITE, SIGN_IN, per_address, per_caller

from fastapi import Query, Response

router = router_at("/api/projects")


@router.post("", status_code=201)
async def create_project(caller: SignedIn, asked: NewProject, etag: Conditional) -> ProjectView:
    """Makes a project; the caller becomes its admin."""
    made = await projects.create(caller, asked)
    etag.answer(made.project.version)
    return projects.view(made)


@router.get("")
async def list_projects(
    caller: SignedIn,
    asked: List,
    created_by: Annotated[str | None, Query(description="Only made by this user.")] = None,
    company_id: Annotated[str | None, Query(description="Only of this company.")] = None,
) -> Page[ProjectView]:
    """The projects that the caller sees, newest first unless it is asked otherwise."""
    found = await projects.page(caller, asked.listing, created_by=created_by, company_id=company_id)
    return asked.records(found, projects.view, lambda seen: seen.project)


@router.get("/{project_id}")
async def get_project(caller: SignedIn, project_id: str, etag: Conditional) -> ProjectView:
    """One project, with the caller's role in it."""
    found = await projects.get(caller, project_id)
    etag.answer(found.project.version)
    return projects.view(found)


@router.put("/{project_id}", operation_id="put_project")
@router.patch("/{project_id}", operation_id="change_project")
async def change_project(caller: SignedIn, project_id: str, asked: ProjectChange, etag: Conditional) -> ProjectView:
    """Changes a project; what is not sent stays. For who manages it."""
    changed = await projects.update(caller, project_id, asked, etag.expected)
    etag.answer(changed.project.version)
    return projects.view(changed)


@router.delete("/{project_id}", status_code=204)
async def delete_project(caller: SignedIn, project_id: str, etag: Conditional) -> Response:
    """Deletes a project, and hides what is below it; it can be restored for 30 days. For who manages it."""
    await projects.delete(caller, project_id, etag.expected)
    return Response(status_code=204)


@router.post("/{project_id}/restore")
async def restore_project(caller: SignedIn, project_id: str, etag: Conditional) -> ProjectView:
    """Brings a deleted project back, with all that is below it. For who managed it."""
    restored = await projects.restore(caller, project_id, etag.expected)
    etag.answer(restored.project.version)
    return projects.view(restored)


@router.post("/{project_id}/review")
async def submit_for_review(caller: SignedIn, project_id: str, asked: Submission) -> Submitted:
    """Puts documents and recordings before the project's reviewers, all of them or, when one can't be, none.

    Of more than 40, one that somebody changes at the same moment may be refused alone: then the error names it, and
    says that the others were submitted.
    """
    found = await review.submit(caller, project_id, asked.document_ids, asked.comment)
    return Submitted(items=[AssetItem.of(one) for one in found])


# --- members and invitations


@router.post("/{project_id}/invite", status_code=201, dependencies=[per_caller(INVITE)])
async def invite(caller: SignedIn, project_id: str, asked: NewInvitation) -> InvitationView:
    """Invites an address; a mail with the token goes to it."""
    return invitations.view(await invitations.invite(caller, project_id, asked))


@router.get("/{project_id}/invitations")
async def list_invitations(caller: SignedIn, project_id: str, paging: Paged) -> Page[InvitationView]:
    """The project's invitations, newest first."""
    found = await invitations.page(caller, project_id, paging.size, paging.after)
    return paging.page(found, invitations.view, newest_first)


@router.delete("/{project_id}/invitations/{invitation_id}", status_code=204)
async def withdraw_invitation(caller: SignedIn, project_id: str, invitation_id: str) -> Response:
    """Makes an invitation's token useless."""
    await invitations.withdraw(caller, project_id, invitation_id)
    return Response(status_code=204)


@router.post("/invitations/preview", dependencies=[per_address(SIGN_IN)])
async def preview_held_invitation(asked: InvitationHeld) -> InvitationPreview:
    """What an invitation is to, for whoever holds its token."""
    return await invitations.preview(asked.token)


@router.post("/invitations/accept", dependencies=[per_address(SIGN_IN)])
async def accept_held_invitation(caller: SignedIn, asked: InvitationHeld) -> ProjectView:
    """Makes the caller a member, if the invitation is to their address."""
    return projects.view(await invitations.accept(caller, asked.token))


@router.get("/invitations/{token}", dependencies=[per_address(SIGN_IN)], deprecated=True)
async def preview_invitation(token: InvitationToken) -> InvitationPreview:
    """As `POST /invitations/preview`, with the token where servers on the way log it."""
    return await invitations.preview(token)


@router.post("/invitations/{token}/accept", dependencies=[per_address(SIGN_IN)], deprecated=True)
async def accept_invitation(caller: SignedIn, token: InvitationToken) -> ProjectView:
    """As `POST /invitations/accept`, with the token where servers on the way log it."""
    return projects.view(await invitations.accept(caller, token))


@router.get("/{project_id}/members")
async def list_members(caller: SignedIn, project_id: str, paging: Paged) -> Page[MemberView]:
    """The project's members, in the order of their ids."""
    found = await members.page(caller, project_id, paging.size, str(paging.after[0]) if paging.after else None)
    return paging.page(found, lambda member: member, lambda member: (member.user_id,))


@router.patch("/{project_id}/members/{user_id}")
async def change_member(caller: SignedIn, project_id: str, user_id: str, asked: MemberChange) -> MemberView:
    """Gives a member another role."""
    return await members.change(caller, project_id, user_id, asked)


@router.delete("/{project_id}/members/{user_id}", status_code=204)
async def remove_member(caller: SignedIn, project_id: str, user_id: str) -> Response:
    """Takes a member out; everybody may take themselves out."""
    await members.remove(caller, project_id, user_id)
    return Response(status_code=204)


main = http_function("projects", router)
