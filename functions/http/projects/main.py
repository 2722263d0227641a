"""Projects, their members and invitations: /api/projects."""

from fastapi import APIRouter

from shared.models.projects import NewProject, ProjectView
from shared.services import projects
from shared.web.app import http_function
from shared.web.caller import SignedIn
from shared.web.etags import Conditional
from shared.web.paging import Page, Paged, newest_first

router = APIRouter(prefix="/api/projects", tags=["projects"])


@router.post("", status_code=201)
async def create_project(caller: SignedIn, asked: NewProject, etag: Conditional) -> ProjectView:
    """Makes a project; the caller becomes its admin."""
    made = await projects.create(caller, asked)
    etag.answer(made.project.version)
    return projects.view(made)


@router.get("")
async def list_projects(caller: SignedIn, paging: Paged) -> Page[ProjectView]:
    """The projects that the caller sees, newest first."""
    found = await projects.page(caller, paging.size, paging.after)
    return paging.page(found, projects.view, lambda seen: newest_first(seen.project))


@router.get("/{project_id}")
async def get_project(caller: SignedIn, project_id: str, etag: Conditional) -> ProjectView:
    """One project, with the caller's role in it."""
    found = await projects.get(caller, project_id)
    etag.answer(found.project.version)
    return projects.view(found)


main = http_function("projects", router)
