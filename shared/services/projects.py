"""Projects: made by users of a company, seen by whom the table of roles lets in."""

from typing import Any

from shared.errors import Forbidden, ValidationFailed
from shared.models.identity import Caller, ProjectRole
from shared.models.projects import NewProject, Permission, Project, ProjectView
from shared.models.records import new_id, now
from shared.services import access
from shared.services.access import Access
from shared.store import firestore, projects


async def create(caller: Caller, asked: NewProject) -> Access:
    """A new project, whose creator is its admin; one commit."""
    company_id = _company(caller, asked.company_id)
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
        created_by=caller.user_id,
    )
    version = await firestore.commit(projects.create(project))
    return Access(project.model_copy(update={"version": version}), ProjectRole.ADMIN)


def _company(caller: Caller, asked: str | None) -> str:
    if caller.is_super_admin:
        if asked is None:
            raise ValidationFailed("A super admin names the company.", details=[{"field": "company_id"}])
        return asked
    if caller.company_id is None or (asked is not None and asked != caller.company_id):
        raise Forbidden("Projects are made in one's own company.")
    return caller.company_id


async def get(caller: Caller, project_id: str) -> Access:
    """A project as it is now; one read."""
    return await access.fresh_project(caller, project_id, Permission.READ)


async def page(caller: Caller, size: int, after: tuple[Any, ...] | None) -> list[Access]:
    """The projects that the caller sees, newest first; one read for each."""
    found = await _seen(caller, size, after)
    roles = ((project, access.role_in(caller, project)) for project in found)
    return [Access(project, role) for project, role in roles if role is not None]


async def _seen(caller: Caller, size: int, after: tuple[Any, ...] | None) -> list[Project]:
    if caller.is_super_admin:
        return await projects.everywhere(size, after)
    if caller.company_id is not None and caller.administers(caller.company_id):
        return await projects.of_company(caller.company_id, size, after)
    return await projects.seen_by(caller.user_id, caller.company_id, size, after)


def view(seen: Access) -> ProjectView:
    """The project as the caller sees it."""
    return ProjectView(**seen.project.model_dump(), role=seen.role)
