"""Members of projects: who they are, what they may do, and that they leave."""

from shared.errors import NotFound
from shared.models.audit import Action
from shared.models.identity import Caller, ProjectRole, User
from shared.models.invitations import MemberChange, MemberView
from shared.models.projects import Permission, Project
from shared.models.records import now
from shared.services import access, audit
from shared.services.invitations import withdrawn
from shared.store import firestore, invitations, projects, users


async def page(caller: Caller, project_id: str, size: int, after: str | None) -> list[MemberView]:
    """Members in the order of their ids, from behind the id `after`; one read each."""
    project = (await access.fresh_project(caller, project_id, Permission.READ)).project
    ids = [user_id for user_id in sorted(project.members) if after is None or user_id > after][:size]
    found = await users.get_many(ids)
    return [_view(project, found[user_id]) for user_id in ids if user_id in found]


async def change(caller: Caller, project_id: str, user_id: str, asked: MemberChange) -> MemberView:
    """Gives a member another role."""
    project = (await access.fresh_project(caller, project_id, Permission.MANAGE)).project
    user = await _member(project, user_id)
    entry = audit.entry(
        Action.MEMBER_CHANGED,
        user_id,
        by=caller,
        company_id=project.company_id,
        before={"project_id": project_id, "role": project.members[user_id]},
        after={"project_id": project_id, "role": asked.role},
    )
    await firestore.commit(projects.change(project, {f"members.{user_id}": asked.role}), entry)
    access.forget(project_id)
    members = {**project.members, user_id: asked.role}
    return _view(project.model_copy(update={"members": members}), user)


async def remove(caller: Caller, project_id: str, user_id: str) -> None:
    """Takes a member out, with any invitation that would let them in again. Everybody may take themselves out.

    Raises Forbidden when they would gain by it: an open project may give the users of its company more by default.
    """
    found = await access.fresh_project(caller, project_id, Permission.READ)
    project = found.project
    if user_id != caller.user_id or _would_gain(project, caller):
        found.require(Permission.MANAGE)
    user = await _member(project, user_id)
    entry = audit.entry(
        Action.MEMBER_REMOVED,
        user_id,
        by=caller,
        company_id=project.company_id,
        before={"project_id": project_id, "role": project.members[user_id]},
    )
    pending = await invitations.get(invitations.id_of(project_id, user.email))
    again = (withdrawn(pending),) if pending is not None and pending.is_open(now()) else ()
    await firestore.commit(projects.change(project, without(project, user_id)), *again, entry)
    access.forget(project_id)


def without(project: Project, user_id: str) -> dict[str, object]:
    """The fields of a project that somebody has left."""
    # The map is written whole: a field path can set a key of it, not leave one out.
    members: dict[str, ProjectRole] = {one: role for one, role in project.members.items() if one != user_id}
    return {"members": members, "member_ids": list(members)}


def _would_gain(project: Project, caller: Caller) -> bool:
    """Whether the caller may do more in the project when they are no member of it."""
    if caller.user_id not in project.members:
        return False
    left = access.role_in(caller, project.model_copy(update={"members": {}}))
    return left is not None and not access.PERMISSIONS[left] <= access.PERMISSIONS[project.members[caller.user_id]]


async def _member(project: Project, user_id: str) -> User:
    user = await users.get(user_id) if user_id in project.members else None
    if user is None:
        raise NotFound("There is no such member.")
    return user


def _view(project: Project, user: User) -> MemberView:
    return MemberView(
        user_id=user.id,
        email=user.email,
        name=user.name,
        role=project.members[user.id],
        guest=user.company_id != project.company_id,
    )
