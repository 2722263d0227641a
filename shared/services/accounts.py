"""Accounts: registering, signing in and out, and what people do to their own account.

Nothing here tells a stranger whether an address is registered: see docs/decisions/0010-accounts.md.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from shared import errors
from shared.cloud import identity, tasks
from shared.cloud.identity import SignIn
from shared.models.audit import Action
from shared.models.identity import Accepted, Caller, Company, Credentials, Registration, Role, Tokens, User, UserView
from shared.models.mail import Letter, LetterKind
from shared.models.records import new_id, now
from shared.services import audit, callers
from shared.store import companies, firestore, users
from shared.store.firestore import Conflict, Write

MAIL_QUEUE = "mail"
_NOBODY = "nobody@unknown.invalid"
"""Signed in for a user name that nobody has, so that it costs what a wrong password costs."""


async def register(asked: Registration) -> Accepted:
    """Founds a company; a mail goes to the address whether or not it is registered.

    Raises AlreadyExists when the user name is taken.
    """
    await _require_free(asked.username)
    moment = now()
    company = Company(id=new_id("cmp"), created_at=moment, updated_at=moment, name=asked.company_name or "")
    user = User(
        id=new_id("usr"),
        created_at=moment,
        updated_at=moment,
        company_id=company.id,
        email=asked.email,
        username=asked.username,
        name=asked.name,
        role=Role.ADMIN,
    )
    entry = audit.entry(Action.REGISTERED, user.id, by=user, company_id=company.id, after={"company": company.name})
    kind = LetterKind.VERIFICATION
    try:
        await open_account(user, asked.password, companies.create(company), entry)
    except Conflict:
        await identity.id_of(asked.email)  # what making the account would have cost
        kind = LetterKind.ACCOUNT_EXISTS
    await tasks.enqueue(MAIL_QUEUE, Letter(kind=kind, to=asked.email))
    return Accepted()


async def _require_free(username: str | None) -> None:
    if username is not None and await users.named(username) is not None:
        raise errors.AlreadyExists("This user name is taken.", details=[{"field": "username"}])


async def open_account(user: User, password: str | None, *along: Write) -> None:
    """Writes a new user, with whatever belongs to it, and makes their account at the identity provider.

    The records come first, since only they can hold the address against somebody else. Raises Conflict when the
    address or the user name is taken, ValidationFailed when the provider refuses the password.
    """
    await firestore.commit(*users.create(user), *along)
    try:
        await _make_account(user, password)
    except errors.ValidationFailed:
        # Nobody has seen the records yet. Their audit entry stays: the attempt was made.
        gone = [firestore.delete(write.path) for write in along if write.exists is False and "audit/" not in write.path]
        await firestore.commit(*users.forget(user), *gone)
        raise


async def _make_account(user: User, password: str | None) -> None:
    try:
        await identity.create_user(user.id, user.email, password, is_verified=user.email_verified)
    except errors.AlreadyExists:
        # Somebody used the provider's public sign-up: an account that has the address but no user of ours.
        squatter = await identity.id_of(user.email)
        if squatter is not None and squatter != user.id:
            await identity.delete_user(squatter)
        await identity.create_user(user.id, user.email, password, is_verified=user.email_verified)


async def login(credentials: Credentials) -> Tokens:
    """Signs in with a user name or an e-mail.

    Raises InvalidCredentials, and for somebody who has the right password Suspended or EmailNotVerified.
    """
    email = await _email_of(credentials.account)
    return await sign_in(lambda: identity.sign_in(email, credentials.password))


async def _email_of(account: str) -> str:
    if "@" in account:
        return account
    if "/" in account:
        return _NOBODY
    name = await users.named(account)
    return name.email if name else _NOBODY


async def sign_in(attempt: Callable[[], Awaitable[SignIn]]) -> Tokens:
    """The tokens of a sign-in, for a user who may come in."""
    signed_in = await attempt()
    try:
        user = await callers.admitted(await users.get(signed_in.user_id))
    except errors.Unauthenticated as error:
        raise errors.InvalidCredentials("The user name or the password is wrong.") from error
    if _is_ended(signed_in, user):
        # Tokens tell whole seconds, and this one is the second in which the user's tokens were ended.
        await asyncio.sleep(max(0.0, ((user.tokens_valid_after or now()) - now()).total_seconds()))
        signed_in = await attempt()
    return signed_in.tokens


def _is_ended(signed_in: SignIn, user: User) -> bool:
    return user.tokens_valid_after is not None and signed_in.signed_in_at < user.tokens_valid_after


async def refresh(refresh_token: str) -> Tokens:
    """Fresh tokens for a sign-in that was not ended since; Unauthenticated otherwise."""
    refreshed = await identity.refresh(refresh_token)
    user = await callers.admitted(await users.get(refreshed.user_id))
    if _is_ended(refreshed, user):
        raise errors.Unauthenticated("This sign-in was ended.")
    return refreshed.tokens


async def logout(caller: Caller) -> None:
    """Ends every sign-in of the caller, on every device."""
    entry = audit.entry(Action.SIGNED_OUT, caller.user_id, by=caller, company_id=caller.company_id)
    await firestore.commit(users.end_tokens(caller.user_id, end_of_second()), entry)
    await end_sign_ins(caller.user_id)


async def end_sign_ins(user_id: str) -> None:
    """Ends them at the provider and on this instance, once the record says so."""
    callers.forget(user_id)
    await identity.revoke(user_id)


def end_of_second() -> datetime:
    """From when on tokens are valid that are to be valid from now on: they tell whole seconds."""
    return now().replace(microsecond=0) + timedelta(seconds=1)


async def me(caller: Caller) -> User:
    """The caller's own record, as it is now; one read."""
    user = await users.get(caller.user_id)
    if user is None:
        raise errors.Unauthenticated("The account does not exist any more.")
    return user


def view(user: User) -> UserView:
    """A user as clients see them."""
    return UserView(**user.model_dump())
