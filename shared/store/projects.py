"""Projects."""

from collections.abc import Mapping
from typing import Any

from shared.models.projects import Project
from shared.store import firestore
from shared.store.firestore import AnyOf, Query, Write

PROJECTS = "projects"


async def get(project_id: str) -> Project | None:
    """A project, deleted or not; one read."""
    return await firestore.get(Project, f"{PROJECTS}/{project_id}")


async def of_company(company_id: str, limit: int, after: tuple[Any, ...] | None) -> list[Project]:
    """All living projects of a company, newest first: what its admin sees."""
    return await _page((("company_id", "==", company_id),), limit, after)


async def everywhere(limit: int, after: tuple[Any, ...] | None) -> list[Project]:
    """All living projects, newest first: what a super admin sees."""
    return await _page((), limit, after)


async def seen_by(user_id: str, company_id: str | None, limit: int, after: tuple[Any, ...] | None) -> list[Project]:
    """Living projects that are open to the company or have the user as a member, newest first."""
    mine: firestore.Condition = ("member_ids", "array-contains", user_id)
    if company_id is None:
        return await _page((mine,), limit, after)
    return await _page((AnyOf((mine, ("open_to", "==", company_id))),), limit, after)


async def _page(
    where: tuple[firestore.Condition | AnyOf, ...], limit: int, after: tuple[Any, ...] | None
) -> list[Project]:
    living: firestore.Condition = ("deleted_at", "==", None)
    asked = Query(PROJECTS, where=(*where, living), order=("-created_at",), limit=limit, start_after=after)
    return await firestore.query(Project, asked)


def create(project: Project) -> Write:
    """Writes a new project."""
    return firestore.create(PROJECTS, project)


def change(project: Project, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of a project."""
    return firestore.change(PROJECTS, project, fields)
