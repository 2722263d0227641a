"""Who may do what: the one authorisation path.

A service asks for the project (or for what is in it) with the permission it needs, and gets it together with the
caller's role, or NotFound. The table is that of the design: company roles, memberships, default roles, guests.
"""

from dataclasses import dataclass

from cachetools import TTLCache

from shared.errors import Forbidden, NotFound
from shared.models.identity import Caller, ProjectRole
from shared.models.projects import Permission, Project
from shared.store import projects

CACHED_SECONDS = 30
"""How long a removed, suspended or demoted person may go on: the age limit of every cache of rights."""

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


# Keyed by who asks: what one tenant may see is never answered from what another was shown.
# The company role is part of the key, or a demoted admin's project role would outlive their company role here.
_seen: TTLCache[tuple[str | None, str, str, str], Access] = TTLCache(maxsize=10_000, ttl=CACHED_SECONDS)


def role_in(caller: Caller, project: Project) -> ProjectRole | None:
    """The caller's role in a project; None when it does not exist for them."""
    if caller.administers(project.company_id):
        return ProjectRole.ADMIN
    if caller.user_id in project.members:
        return project.members[caller.user_id]
    return project.default_role if caller.company_id == project.company_id else None


async def project(caller: Caller, project_id: str, permission: Permission) -> Access:
    """The project as of at most `CACHED_SECONDS` ago, for work inside it."""
    key = _key(caller, project_id)
    access = _seen.get(key)
    if access is None:
        access = _seen[key] = await _read(caller, project_id)
    access.require(permission)
    return access


async def fresh_project(caller: Caller, project_id: str, permission: Permission) -> Access:
    """The project as it is now, for reading and changing the project itself."""
    key = _key(caller, project_id)
    _seen.pop(key, None)  # what is gone is not to be found in the cache either
    access = _seen[key] = await _read(caller, project_id)
    access.require(permission)
    return access


async def deleted_project(caller: Caller, project_id: str, permission: Permission) -> Access:
    """A deleted project as it is now, to whom it would be shown if it were not; NotFound for a living one."""
    access = await _read(caller, project_id, deleted=True)
    access.require(permission)
    return access


def forget(project_id: str) -> None:
    """Reads the project again for whoever asks next on this instance; others do within `CACHED_SECONDS`."""
    for key in [key for key in _seen if key[-1] == project_id]:
        _seen.pop(key, None)


def _key(caller: Caller, project_id: str) -> tuple[str | None, str, str, str]:
    return (caller.company_id, caller.role, caller.user_id, project_id)


async def _read(caller: Caller, project_id: str, *, deleted: bool = False) -> Access:
    found = await projects.get(project_id)
    role = role_in(caller, found) if found else None
    if found is None or role is None or (found.deleted_at is not None) is not deleted:
        raise NotFound("There is no such project.")
    return Access(found, role)
