"""Users and their names."""

from collections.abc import Mapping
from typing import Any

from shared.models.identity import User, Username
from shared.store import firestore
from shared.store.firestore import Write

USERS = "users"
USERNAMES = "usernames"


async def get(user_id: str) -> User | None:
    """A user, deleted or not; one read."""
    return await firestore.get(User, f"{USERS}/{user_id}")


async def named(username: str) -> Username | None:
    """Whose user name this is; upper and lower case are the same."""
    return await firestore.get(Username, f"{USERNAMES}/{username.lower()}")


def create(user: User) -> Write:
    """Writes a new user."""
    return firestore.create(USERS, user)


def reserve(username: Username) -> Write:
    """Takes a user name; the commit conflicts when somebody has it."""
    return firestore.create(USERNAMES, username)


def change(user: User, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of a user."""
    return firestore.change(USERS, user, fields)
