"""The users of a company: seen by its people, made and changed by its admins."""

from collections.abc import Mapping
from typing import Any

from shared.errors import AlreadyExists, Forbidden, LastAdmin, NotFound, StateConflict, ValidationFailed
from shared.models.audit import Action
from shared.models.identity import Caller, CompanyRole, NewUser, Role, User, UserChange, UserView
from shared.models.mail import LetterKind
from shared.models.records import new_id, now
from shared.services import accounts, audit, callers, mail, versions
from shared.store import companies, firestore, search, users
from shared.store.firestore import Condition, Conflict, Write


async def page(
    caller: Caller, size: int, after: tuple[Any, ...] | None, *, q: str = "", role: Role | None = None
) -> list[User]:
    """The living users of the caller's company, newest first; a guest has no company, and so sees nobody."""
    if caller.company_id is None and not caller.is_super_admin:
        return []
    where: list[Condition] = [("deleted_at", "==", None), *search.found_by(q)]
    if not caller.is_super_admin:
        where.append(("company_id", "==", caller.company_id))
    if role is not None:
        where.append(("role", "==", role.value))
    return await users.page(tuple(where), size, after)


async def get(caller: Caller, user_id: str) -> User:
    """A living user of the caller's company, or the caller; NotFound for any other."""
    return await _seen(caller, user_id, deleted=False)


async def _seen(caller: Caller, user_id: str, *, deleted: bool) -> User:
    user = await users.get(user_id)
    if user is None or not _sees(caller, user) or (user.deleted_at is not None) is not deleted:
        raise NotFound("There is no such user.")
    return user


def _sees(caller: Caller, user: User) -> bool:
    mine = user.company_id is not None and user.company_id == caller.company_id
    return mine or caller.is_super_admin or user.id == caller.user_id


async def _administered(caller: Caller, user_id: str, *, deleted: bool = False) -> User:
    user = await _seen(caller, user_id, deleted=deleted)
    if user.role is Role.SUPER_ADMIN:
        raise Forbidden("Super admins are made and unmade by the platform's operator.")
    if not caller.administers(user.company_id or ""):
        raise Forbidden("Only an admin of the company may do this.")
    return user


async def create(caller: Caller, asked: NewUser) -> User:
    """A new user. They confirm their address by mail, with a first password if none was given.

    Raises AlreadyExists when the address or the user name is taken.
    """
    company_id = asked.company_id or caller.company_id
    if company_id is None:
        raise ValidationFailed("Name the company.", details=[{"field": "company_id", "message": "is missing"}])
    if not caller.administers(company_id):
        if company_id != caller.company_id:
            raise NotFound("There is no such company.")
        raise Forbidden("Only an admin of the company may do this.")
    if await companies.get(company_id) is None:
        raise NotFound("There is no such company.")
    user = new_user(asked, company_id)
    entry = audit.entry(Action.USER_CREATED, user.id, by=caller, company_id=company_id, after=_shown(user))
    try:
        version = await accounts.open_account(user, asked.password, entry)
    except Conflict as error:
        raise AlreadyExists("This e-mail or user name is taken.") from error
    await mail.ask_for(LetterKind.VERIFICATION if asked.password else LetterKind.WELCOME, user.email)
    return user.model_copy(update={"version": version})


def new_user(asked: NewUser, company_id: str | None) -> User:
    """The record of a user to be made, whose address is not verified yet."""
    moment = now()
    return User(
        id=new_id("usr"),
        created_at=moment,
        updated_at=moment,
        company_id=company_id,
        email=asked.email,
        username=asked.username,
        name=asked.name,
        role=Role(asked.role),
    )


async def change(caller: Caller, user_id: str, asked: UserChange, version: int | None) -> User:
    """Changes the name or the company role. `version` is the one that must be current, if any.

    Raises LastAdmin when nobody else could administer the company.
    """
    user = await _administered(caller, user_id)
    versions.require(user, version)
    fields: dict[str, Any] = asked.model_dump(exclude_none=True)
    guard = await _last_admin_guard(user) if asked.role is CompanyRole.USER else ()
    return await _change(caller, user, fields, Action.USER_CHANGED, *guard)


async def suspend(caller: Caller, user_id: str) -> User:
    """Keeps a user out, within 30 s and until restored. Raises LastAdmin."""
    user = await _administered(caller, user_id)
    if user.suspended_at is not None:
        raise StateConflict("This user is suspended.", details={"state": "suspended"})
    return await _keep_out(caller, user, {"suspended_at": now()}, Action.USER_SUSPENDED)


async def delete(caller: Caller, user_id: str) -> None:
    """Keeps a user out as if they were not there; restored within 30 days, or gone. Raises LastAdmin."""
    user = await _administered(caller, user_id)
    await _keep_out(caller, user, {"deleted_at": now()}, Action.USER_DELETED)


async def _keep_out(caller: Caller, user: User, fields: dict[str, Any], action: Action) -> User:
    guard = await _last_admin_guard(user)
    ended = {**fields, "tokens_valid_after": accounts.end_of_second()}
    changed = await _change(caller, user, ended, action, *guard)
    await accounts.end_sign_ins(user.id)
    return changed


async def restore(caller: Caller, user_id: str) -> User:
    """Lets a suspended or deleted user in again; they sign in anew. StateConflict when they are neither."""
    user = await users.get(user_id)
    deleted = user is not None and user.deleted_at is not None
    user = await _administered(caller, user_id, deleted=deleted)
    if not deleted and user.suspended_at is None:
        raise StateConflict("This user is neither suspended nor deleted.", details={"state": "active"})
    return await _change(caller, user, {"suspended_at": None, "deleted_at": None}, Action.USER_RESTORED)


async def _change(caller: Caller, user: User, fields: Mapping[str, Any], action: Action, *along: Write) -> User:
    changed = user.model_copy(update={**fields, "updated_at": now()})
    entry = audit.entry(
        action, user.id, by=caller, company_id=user.company_id, before=_shown(user), after=_shown(changed)
    )
    version = await firestore.commit(users.change(user, fields), *along, entry)
    callers.forget(user.id)
    return changed.model_copy(update={"version": version, "role": Role(changed.role)})


async def _last_admin_guard(user: User) -> tuple[Write, ...]:
    """What is committed with the loss of an admin, so that two at once can't each count on the other."""
    if user.role is not Role.ADMIN or user.company_id is None:
        return ()
    company = await companies.get(user.company_id)
    admins = await users.acting_admins(user.company_id, at_most=2)
    if company is None or all(admin.id == user.id for admin in admins):
        raise LastAdmin("This is the last admin of the company.")
    return (companies.change(company, {}),)


def _shown(user: User) -> dict[str, Any]:
    shown = user.model_dump(include={"name", "email", "role", "suspended_at", "deleted_at"})
    return {**shown, "role": str(user.role)}


def view(user: User) -> UserView:
    """A user as clients see them."""
    return UserView(**user.model_dump(), state=user.state)
