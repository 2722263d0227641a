"""Projects: made by users of a company, seen by whom the table of roles lets in."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.errors import Forbidden, NotFound, ValidationFailed
from shared.models.audit import Action
from shared.models.identity import Caller, ProjectRole, Role
from shared.models.listing import Listing
from shared.models.projects import NewProject, Permission, Project, ProjectChange, ProjectView
from shared.models.records import new_id, now
from shared.services import access, audit, changes
from shared.services.access import Access
from shared.services.changes import Change
from shared.store import companies, projects
from shared.store.firestore import AnyOf, Condition


async def create(caller: Caller, asked: NewProject) -> Access:
    """A new project, whose creator is its admin; one commit. A super admin's costs one read: of the company."""
    company_id = await _company(caller, asked.company_id)
    moment = now()
    project = Project(
        id=new_id("prj"),
        created_at=moment,
        updated_at=moment,
        company_id=company_id,
        name=asked.name,
        description=asked.description,
        default_role=asked.default_role,
        open_to=company_id if asked.default_role else None,
        members={caller.user_id: ProjectRole.ADMIN},
        member_ids=[caller.user_id],
        languages=asked.languages,
        limits=asked.limits,
        recognise_once=asked.recognise_once,
        approvals=asked.approvals,
        created_by=caller.user_id,
    )
    entry = audit.entry(
        Action.PROJECT_CREATED, project.id, by=caller, company_id=company_id, after=asked.model_dump(mode="json")
    )
    made = await changes.create(project, projects.get, projects.create(project), entry)
    return Access(made, ProjectRole.ADMIN)


async def _company(caller: Caller, asked: str | None) -> str:
    if caller.is_super_admin:
        if asked is None:
            raise ValidationFailed(
                "A super admin names the company.", details=[{"field": "company_id", "message": "is missing"}]
            )
        if await companies.get(asked) is None:
            raise NotFound("There is no such company.")
        return asked
    if caller.company_id is None or (asked is not None and asked != caller.company_id):
        raise Forbidden("Projects are made in one's own company.")
    return caller.company_id


async def get(caller: Caller, project_id: str) -> Access:
    """A project as it is now; one read."""
    return await access.fresh_project(caller, project_id, Permission.READ)


async def page(
    caller: Caller, listing: Listing, *, created_by: str | None = None, company_id: str | None = None
) -> list[Access]:
    """The projects that the caller sees; one read for each. Of the deleted ones those that they may restore."""
    where = _seen(caller)
    if created_by is not None:
        where.append(("created_by", "==", created_by))
    if company_id is not None:
        where.append(projects.of_company(company_id))
    shown: list[Access] = []
    while True:
        found = await projects.page(where, listing)
        seen = [await access.seen(caller, project) for project in found]
        shown += [one for one in seen if one is not None]
        if len(found) < listing.size or len(shown) >= listing.size:
            return shown[: listing.size]
        listing = listing.model_copy(update={"after": listing.position(found[-1])})


def _seen(caller: Caller) -> list[Condition | AnyOf]:
    if caller.is_super_admin:
        return []
    return [projects.seen_by(caller.user_id, caller.company_id, administers=caller.role is Role.ADMIN)]


async def update(caller: Caller, project_id: str, asked: ProjectChange, version: int | None) -> Access:
    """Changes what was sent, if `version` is current or None; one read and one commit."""
    sent = asked.model_dump(exclude_unset=True)

    def decide(project: Project) -> Mapping[str, Any]:
        if "default_role" not in sent:
            return sent
        return {**sent, "open_to": project.company_id if sent["default_role"] else None}

    return await _change(Change(caller, Action.PROJECT_CHANGED, version), project_id, decide)


async def delete(caller: Caller, project_id: str, version: int | None) -> None:
    """Hides a project and all that is below it, for 30 days; then it is erased."""
    await _change(Change(caller, Action.PROJECT_DELETED, version), project_id, changes.deletion)


async def restore(caller: Caller, project_id: str, version: int | None) -> Access:
    """Brings a deleted project back, with all that is below it."""
    change = Change(caller, Action.PROJECT_RESTORED, version)
    return await _change(change, project_id, changes.restoration, deleted=True)


async def _change(
    change: Change, project_id: str, decide: Callable[[Project], Mapping[str, Any]], *, deleted: bool = False
) -> Access:
    found = access.deleted_project if deleted else access.fresh_project

    async def read() -> Project:
        return (await found(change.caller, project_id, Permission.MANAGE)).project

    changed = await changes.make(change, read, decide, projects.change)
    access.forget(project_id)
    return Access(changed, access.role_in(change.caller, changed) or ProjectRole.ADMIN)


def view(seen: Access) -> ProjectView:
    """The project as the caller sees it."""
    return ProjectView.model_validate({**seen.project.__dict__, "role": seen.role})
