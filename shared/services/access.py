"""Who may do what: the one authorisation path.

A service asks for the project (or for what is in it) with the permission it needs, and gets it together with the
caller's role, or NotFound. The table is that of the design: company roles, memberships, default roles, guests.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from cachetools import TTLCache

from shared import logs
from shared.errors import Forbidden, NotFound
from shared.models.identity import Caller, ProjectRole
from shared.models.projects import Permission, Project
from shared.store import companies, projects

CACHED_SECONDS = 30
"""How long a removed, suspended or demoted person may go on: the age limit of every cache of rights."""

_NOWHERE = "prj_none"
"""The id of no project."""

PERMISSIONS: dict[ProjectRole, frozenset[Permission]] = {
    ProjectRole.ADMIN: frozenset(Permission),
    ProjectRole.CONTRIBUTOR: frozenset({Permission.READ, Permission.CONTRIBUTE}),
    ProjectRole.REVIEWER: frozenset({Permission.READ, Permission.REVIEW}),
}
"""What each role may do in its project."""


@dataclass(frozen=True)
class Access:
    """A project that the caller may see, and their role in it."""

    project: Project
    role: ProjectRole

    def require(self, permission: Permission) -> None:
        """Raises Forbidden unless the role holds this permission."""
        if permission not in PERMISSIONS[self.role]:
            raise Forbidden(f"The role {self.role} may not {permission} in this project.")


class InProject(Protocol):
    """A stored record that belongs to a project."""

    @property
    def project_id(self) -> str:
        """Whose it is."""

    @property
    def deleted_at(self) -> datetime | None:
        """When it was deleted; None while it lives."""


R = TypeVar("R", bound=InProject)

# By the tenant who asks, and then the project: what one was shown never answers another. Records, not decisions: who
# may what is decided with every request, by the caller's role as it is then.
_seen: TTLCache[tuple[str, str], Project] = TTLCache(maxsize=10_000, ttl=CACHED_SECONDS)
_suspended: TTLCache[str, bool] = TTLCache(maxsize=10_000, ttl=CACHED_SECONDS)
"""By the company itself."""


def role_in(caller: Caller, project: Project) -> ProjectRole | None:
    """The caller's role in a project; None when it does not exist for them."""
    if caller.administers(project.company_id):
        return ProjectRole.ADMIN
    if caller.user_id in project.members:
        return project.members[caller.user_id]
    return project.default_role if caller.company_id == project.company_id else None


async def is_suspended(company_id: str) -> bool:
    """Whether a company is suspended, or not there; one read, none within `CACHED_SECONDS` of the last."""
    known = _suspended.get(company_id)
    if known is None:
        company = await companies.get(company_id)
        known = _suspended[company_id] = company is None or company.suspended_at is not None
    return known


def forget_company(company_id: str) -> None:
    """Reads the company again for whoever asks next on this instance; others do within `CACHED_SECONDS`."""
    _suspended.pop(company_id, None)


async def seen(caller: Caller, project: Project) -> Access | None:
    """A project with the caller's role in it; None when it does not exist for them.

    What a suspended company has is seen by super admins alone. Its own people were kept out before they got here; a
    guest, and who has come from another company, costs a read of it, none within `CACHED_SECONDS` of the last.
    """
    role = role_in(caller, project)
    if role is None:
        return None
    hidden = not caller.is_super_admin and await is_suspended(project.company_id)
    return None if hidden else Access(project, role)


async def project(caller: Caller, project_id: str, permission: Permission) -> Access:
    """The project as of at most `CACHED_SECONDS` ago, for work inside it."""
    known = _seen.get(_key(caller, project_id))
    logs.bind(logs.correlation(), project_cache="miss" if known is None else "hit")  # the cache's rate is a metric
    if known is None or role_in(caller, known) is None:  # what is hidden costs a read, as what is not there does
        return await fresh_project(caller, project_id, permission)
    return await _allowed(caller, known, permission)


async def fresh_project(caller: Caller, project_id: str, permission: Permission) -> Access:
    """The project as it is now, for reading and changing the project itself."""
    key = _key(caller, project_id)
    _seen.pop(key, None)  # what is gone is not to be found in the cache either
    found = _seen[key] = await _read(project_id)
    return await _allowed(caller, found, permission)


async def record(
    caller: Caller, found: R | None, permission: Permission, what: str, *, deleted: bool = False
) -> tuple[R, Access]:
    """A record that was looked up, and the access to its project; no read when the project is cached.

    NotFound, of `what`, when there is none, when it is (or is not) deleted, and when it is another tenant's. All of
    these cost one more read, so that not even the time tells which it was.
    """
    if found is None or (found.deleted_at is not None) is not deleted:
        await projects.get(_NOWHERE)
        raise NotFound(f"There is no such {what}.")
    try:
        return found, await project(caller, found.project_id, permission)
    except NotFound:
        raise NotFound(f"There is no such {what}.") from None


async def deleted_project(caller: Caller, project_id: str, permission: Permission) -> Access:
    """A deleted project as it is now, to whom it would be shown if it were not; NotFound for a living one."""
    return await _allowed(caller, await _read(project_id, deleted=True), permission)


def forget(project_id: str) -> None:
    """Reads the project again for whoever asks next on this instance; others do within `CACHED_SECONDS`."""
    for key in [key for key in _seen if key[-1] == project_id]:
        _seen.pop(key, None)


def _key(caller: Caller, project_id: str) -> tuple[str, str]:
    # A guest, and a super admin, is of no company, and a tenant of their own.
    return (caller.company_id or caller.user_id, project_id)


async def _allowed(caller: Caller, found: Project, permission: Permission) -> Access:
    access = await seen(caller, found)
    if access is None:
        raise _nothing()
    access.require(permission)
    return access


async def _read(project_id: str, *, deleted: bool = False) -> Project:
    found = await projects.get(project_id)
    if found is None or (found.deleted_at is not None) is not deleted:
        raise _nothing()
    return found


def _nothing() -> NotFound:
    """The same whether there is no such project or it is not the caller's."""
    return NotFound("There is no such project.")
