"""Projects."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.models.listing import Listing
from shared.models.projects import Project
from shared.store import firestore, listing
from shared.store.firestore import AnyOf, Condition, Query, Write

PROJECTS = "projects"
_SCAN_PAGE = 500


async def get(project_id: str) -> Project | None:
    """A project, deleted or not; one read."""
    return await firestore.get(Project, f"{PROJECTS}/{project_id}")


async def is_living(project_id: str) -> bool:
    """Whether there is such a project that is not deleted; one read."""
    found = await get(project_id)
    return found is not None and found.deleted_at is None


async def page(where: Sequence[Condition | AnyOf], asked: Listing) -> list[Project]:
    """Projects that meet these conditions, as the listing asks; one read for each."""
    return await listing.page(Project, PROJECTS, where, asked)


async def living() -> AsyncIterator[str]:
    """The id of every project that is not deleted; one read for each."""
    after: tuple[Any, ...] | None = None
    while True:
        asked = Query(PROJECTS, where=(("deleted_at", "==", None),), order=("-created_at",), limit=_SCAN_PAGE)
        page = await firestore.query(Project, replace(asked, start_after=after))
        for project in page:
            yield project.id
        if len(page) < _SCAN_PAGE:
            return
        after = (page[-1].created_at, page[-1].id)


async def with_member(user_id: str, limit: int) -> list[Project]:
    """Projects that have somebody as a member, deleted or not; one read for each."""
    where: tuple[Condition, ...] = (("member_ids", "array-contains", user_id),)
    return await firestore.query(Project, Query(PROJECTS, where=where, limit=limit))


def of_company(company_id: str) -> Condition:
    """Every project of a company: what its admin sees."""
    return ("company_id", "==", company_id)


def seen_by(user_id: str, company_id: str | None, *, administers: bool) -> Condition | AnyOf:
    """The projects that have the user as a member, and those open to their company, or all of it to its admin."""
    mine: Condition = ("member_ids", "array-contains", user_id)
    if company_id is None:
        return mine
    return AnyOf((mine, of_company(company_id) if administers else ("open_to", "==", company_id)))


def create(project: Project) -> Write:
    """Writes a new project."""
    return listing.named(firestore.create(PROJECTS, project))


def change(project: Project, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of a project, if it still is the version that was read."""
    return listing.named(firestore.change(PROJECTS, project, fields))
