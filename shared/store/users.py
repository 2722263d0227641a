"""Users and the names that lead to them: user names and e-mail addresses, each unique over the platform."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.models.identity import Address, Role, User, Username, UserState
from shared.models.records import derived_id, now
from shared.store import firestore
from shared.store.firestore import Condition, Query, Write
from shared.store.search import searchable

USERS = "users"
USERNAMES = "usernames"
ADDRESSES = "addresses"

_FIELDS = tuple(name for name in User.model_fields if name not in ("id", "version"))


async def get(user_id: str) -> User | None:
    """A user, deleted or not; one read."""
    return await firestore.get(User, f"{USERS}/{user_id}")


async def get_many(user_ids: list[str]) -> dict[str, User]:
    """The users that exist of these, by id; one read each."""
    return await firestore.get_many(User, [f"{USERS}/{user_id}" for user_id in user_ids])


async def named(username: str) -> Username | None:
    """Whose user name this is; upper and lower case are the same."""
    return await firestore.get(Username, f"{USERNAMES}/{username.lower()}")


async def with_email(email: str) -> User | None:
    """Whose address this is; two reads."""
    address = await firestore.get(Address, f"{ADDRESSES}/{_address_id(email)}")
    return await get(address.user_id) if address else None


async def page(where: tuple[Condition, ...], limit: int, after: tuple[Any, ...] | None) -> list[User]:
    """Users, newest first."""
    asked = Query(USERS, where=where, order=("-created_at",), limit=limit, start_after=after, select=_FIELDS)
    return await firestore.query(User, asked)


async def acting_admins(company_id: str, at_most: int) -> list[User]:
    """Admins of a company who can sign in."""
    where: tuple[Condition, ...] = (
        ("company_id", "==", company_id),
        ("role", "==", Role.ADMIN.value),
        ("state", "==", UserState.ACTIVE.value),
    )
    return await firestore.query(User, Query(USERS, where=where, limit=at_most, select=_FIELDS))


def create(user: User) -> tuple[Write, ...]:
    """Writes a new user and takes their address and user name; the commit conflicts when somebody has one of them."""
    moment = user.created_at
    address = Address(id=_address_id(user.email), created_at=moment, updated_at=moment, user_id=user.id)
    reserved = (reserve(user.username, user, moment),) if user.username else ()
    record = firestore.create(USERS, user)
    return (_searchable(record, user), firestore.create(ADDRESSES, address), *reserved)


def reserve(username: str, user: User, moment: datetime) -> Write:
    """Takes a user name; the commit conflicts when somebody has it."""
    name = Username(id=username.lower(), created_at=moment, updated_at=moment, user_id=user.id, email=user.email)
    return firestore.create(USERNAMES, name)


def release(username: str) -> Write:
    """Gives a user name back."""
    return firestore.delete(f"{USERNAMES}/{username.lower()}")


def change(user: User, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of a user."""
    return _searchable(firestore.change(USERS, user, fields), user.model_copy(update=dict(fields)))


def _searchable(write: Write, user: User) -> Write:
    return searchable(write, user.email, user.name, user.username, state=user.state)


def end_tokens(user_id: str, moment: datetime) -> Write:
    """Makes all tokens stale that tell of a sign-in before `moment`; whatever else happens to the user meanwhile."""
    fields = {"tokens_valid_after": moment, "updated_at": now()}
    return Write(f"{USERS}/{user_id}", fields, mask=tuple(fields), exists=True)


def forget(user: User) -> tuple[Write, ...]:
    """Deletes a user for good and gives their address and user name back."""
    names = (release(user.username),) if user.username else ()
    return (
        firestore.delete(f"{USERS}/{user.id}"),
        firestore.delete(f"{ADDRESSES}/{_address_id(user.email)}"),
        *names,
    )


def _address_id(email: str) -> str:
    # Derived, since an address may hold a slash.
    return derived_id("adr", email.lower())
