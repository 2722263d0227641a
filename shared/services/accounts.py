"""Accounts: registering, signing in and out, and what people do to their own account.

Nothing here tells a stranger whether an address is registered: see docs/decisions/0005-accounts.md.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from shared import errors
from shared.cloud import identity
from shared.cloud.identity import SignIn
from shared.models.audit import Action
from shared.models.identity import (
    Accepted,
    Caller,
    Company,
    Credentials,
    GoogleSignIn,
    MeChange,
    PasswordChange,
    Registration,
    Role,
    Tokens,
    User,
)
from shared.models.mail import LetterKind
from shared.models.records import new_id, now
from shared.models.tokens import Purpose
from shared.services import audit, callers, invitations, mail, rate_limits, tokens, versions
from shared.store import companies, firestore, users
from shared.store import tokens as stored_tokens
from shared.store.firestore import Conflict, Write

_NOBODY = "nobody@unknown.invalid"
"""Signed in for a user name that nobody has, so that it costs what a wrong password costs."""


# --- registering


async def register(asked: Registration) -> Accepted:
    """Founds a company, or joins by invitation.

    Raises AlreadyExists when the user name is taken; and, to who holds an invitation, when the address is.
    """
    (await rate_limits.take(rate_limits.MAIL_TO, asked.email)).require()
    if asked.invitation_token is not None:
        await _join(asked.invitation_token, asked.email, asked.name, asked.password, username=asked.username)
        return Accepted()
    user, along = _founder(asked.email, asked.name, asked.company_name or "", username=asked.username)
    await _require_free(asked.username, user)
    kind = LetterKind.VERIFICATION
    try:
        await open_account(user, asked.password, *along)
    except Conflict:
        await identity.id_of(asked.email)  # what making the account would have cost
        kind = LetterKind.ACCOUNT_EXISTS
    await mail.ask_for(kind, asked.email)
    return Accepted()


def _founder(email: str, name: str, company_name: str, **more: Any) -> tuple[User, tuple[Write, ...]]:
    moment = now()
    company = Company(id=new_id("cmp"), created_at=moment, updated_at=moment, name=company_name)
    user = _user(email, name, company_id=company.id, role=Role.ADMIN, **more)
    entry = audit.entry(Action.REGISTERED, user.id, by=user, company_id=company.id, after={"company": company_name})
    return user, (companies.create(company), entry)


def _user(email: str, name: str, **more: Any) -> User:
    moment = now()
    return User(id=new_id("usr"), created_at=moment, updated_at=moment, email=email, name=name, **more)


async def _join(token: str, email: str, name: str, password: str | None, **more: Any) -> None:
    invitation = await invitations.usable(token)
    if invitation.email != email:
        raise errors.NotFound("There is no such invitation.")
    # Only the mail to this address held the token, so the address is verified.
    user = _user(email, name, company_id=None, role=Role.USER, email_verified=True, **more)
    await _require_free(user.username, user)
    try:
        await open_account(user, password, audit.entry(Action.REGISTERED, user.id, by=user, company_id=None))
    except Conflict as error:
        raise errors.AlreadyExists("This address has an account: sign in and accept the invitation.") from error
    await invitations.join(invitation, user.id, user)


async def _require_free(username: str | None, user: User) -> None:
    """Raises AlreadyExists when the name is somebody else's; a request that is repeated meets its own."""
    held = await users.named(username) if username is not None else None
    if held is not None and held.user_id != user.id:
        raise errors.AlreadyExists("This user name is taken.", details=[{"field": "username"}])


async def open_account(user: User, password: str | None, *along: Write) -> int:
    """Writes a new user with the new records that belong to it, and makes their account at the identity provider.

    The records come first, since only they can hold the address against somebody else. Returns their version.

    Raises Conflict when the address or the user name is taken, ValidationFailed when the provider refuses the password.
    """
    version = await _written(user, *along)
    try:
        await _make_account(user, password)
    except errors.ValidationFailed:
        # Nobody has seen the new records yet.
        await firestore.commit(*users.forget(user), *(firestore.delete(write.path) for write in along))
        raise
    return version


async def _written(user: User, *along: Write) -> int:
    try:
        return await firestore.commit(*users.create(user), *along)
    except Conflict:
        held = await users.get(user.id)
        if held is None:
            raise
        return held.version  # a request that is repeated makes the same ids, and so meets its own records


async def _make_account(user: User, password: str | None) -> None:
    try:
        await identity.create_user(user.id, user.email, password, is_verified=user.email_verified)
    except errors.AlreadyExists:
        # Somebody used the provider's public sign-up: an account that has the address but no user of ours.
        holder = await identity.id_of(user.email)
        if holder == user.id:
            return
        if holder is not None:
            await identity.delete_user(holder)
        await identity.create_user(user.id, user.email, password, is_verified=user.email_verified)


# --- what letters lead to


async def ask_for_verification(email: str) -> Accepted:
    """Sends the verification letter again, if the address waits for it."""
    return await _ask_for(LetterKind.VERIFICATION, email)


async def ask_for_password_reset(email: str) -> Accepted:
    """Sends a letter that leads to a new password, if the address has an account."""
    return await _ask_for(LetterKind.PASSWORD_RESET, email)


async def _ask_for(kind: LetterKind, email: str) -> Accepted:
    (await rate_limits.take(rate_limits.MAIL_TO, email)).require()
    await mail.ask_for(kind, email)
    return Accepted()


async def verify_email(token: str) -> None:
    """Verifies the address that the token was mailed to. Raises TokenRefused."""
    found = await tokens.valid(Purpose.VERIFICATION, token)
    user = await users.get(found.user_id or "")
    if user is None or user.deleted_at is not None or user.email_verified:
        raise errors.TokenRefused("This link is of no use any more.")
    await identity.set_verified(user.id)
    entry = audit.entry(Action.VERIFIED, user.id, by=user, company_id=user.company_id)
    await firestore.commit(stored_tokens.use(found), users.change(user, {"email_verified": True}), entry)
    callers.forget(user.id)


async def reset_password(asked: PasswordChange) -> None:
    """Sets a new password, which also verifies the address, and ends every sign-in.

    Raises TokenRefused, and ValidationFailed for a password that the provider refuses. When it was not set,
    for whatever reason, the token is good again.
    """
    found = await tokens.valid(Purpose.PASSWORD, asked.token)
    user = await users.get(found.user_id or "")
    if user is None or user.deleted_at is not None:
        raise errors.TokenRefused("This link is of no use any more.")
    if user.password_changed_at is not None and found.created_at <= user.password_changed_at:
        raise errors.TokenRefused("The password was changed since this link was made.")
    moment = now()
    fields = {"email_verified": True, "password_changed_at": moment, "tokens_valid_after": end_of_second()}
    entry = audit.entry(Action.PASSWORD_CHANGED, user.id, by=user, company_id=user.company_id)
    await firestore.commit(stored_tokens.use(found), users.change(user, fields), entry)
    try:
        await identity.set_password(user.id, user.email, asked.password)
    except errors.AltaError:
        again = found.model_copy(update={"created_at": now()})
        await firestore.commit(stored_tokens.create(again))
        raise
    await end_sign_ins(user.id)


# --- signing in and out


async def login(credentials: Credentials) -> Tokens:
    """Signs in with a user name or an e-mail.

    Raises InvalidCredentials, and for somebody who has the right password Suspended or EmailNotVerified.
    """
    email = await _email_of(credentials.account)
    account = credentials.account if email == _NOBODY else email
    await rate_limits.before_sign_in(account)
    signed_in = await sign_in(lambda: identity.sign_in(email, credentials.password))
    await rate_limits.after_sign_in(account)
    return signed_in


async def _email_of(account: str) -> str:
    if "@" in account:
        return account
    name = await users.named(account) if "/" not in account else None
    return name.email if name else _NOBODY


async def sign_in(attempt: Callable[[], Awaitable[SignIn]]) -> Tokens:
    """The tokens of a sign-in, for a user who may come in; InvalidCredentials when there is no such user."""
    signed_in = await attempt()
    try:
        user = await callers.admitted(await users.get(signed_in.user_id))
    except errors.Unauthenticated as error:
        raise errors.InvalidCredentials("The user name or the password is wrong.") from error
    if user.tokens_valid_after is not None and signed_in.signed_in_at < user.tokens_valid_after:
        # Tokens tell whole seconds, and this one is the second in which the user's tokens were ended.
        await asyncio.sleep(max(0.0, (user.tokens_valid_after - now()).total_seconds()))
        signed_in = await attempt()
    await firestore.commit(audit.entry(Action.SIGNED_IN, user.id, by=user, company_id=user.company_id))
    return signed_in.tokens


async def refresh(refresh_token: str) -> Tokens:
    """Fresh tokens for a sign-in that was not ended since; Unauthenticated otherwise."""
    refreshed = await identity.refresh(refresh_token)
    (await rate_limits.take(rate_limits.REFRESH, refreshed.user_id)).require()
    user = await callers.admitted(await users.get(refreshed.user_id))
    if user.tokens_valid_after is not None and refreshed.signed_in_at < user.tokens_valid_after:
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


# --- Google


async def sign_in_with_google(asked: GoogleSignIn) -> Tokens:
    """Signs in with a Google ID token, or registers whoever it belongs to.

    Raises RegistrationRequired for somebody new who says neither which company they found nor who invited them.
    """
    google = await identity.sign_in_with_google(asked.id_token)
    user = await users.get(google.sign_in.user_id)
    if user is None:
        await identity.delete_user(google.sign_in.user_id)  # made by the provider, under an id that is not ours
        await _register_with_google(asked, google.email, google.name)
    elif not user.email_verified:
        await identity.set_verified(user.id)
        entry = audit.entry(Action.VERIFIED, user.id, by=user, company_id=user.company_id)
        await firestore.commit(users.change(user, {"email_verified": True}), entry)

    async def attempt() -> SignIn:
        return (await identity.sign_in_with_google(asked.id_token)).sign_in

    return await sign_in(attempt)


async def _register_with_google(asked: GoogleSignIn, email: str, name: str) -> None:
    if asked.invitation_token is not None:
        await _join(asked.invitation_token, email, name, None)
        return
    if asked.company_name is None:
        raise errors.RegistrationRequired("This Google account is new here.")
    user, along = _founder(email, name, asked.company_name, email_verified=True)
    try:
        await open_account(user, None, *along)
    except Conflict as error:
        raise errors.AlreadyExists("This address has an account: ask for a new password.") from error


async def link_google(caller: Caller, access_token: str, id_token: str) -> Tokens:
    """Lets a Google account sign in as the caller. Raises AlreadyExists when it belongs to somebody else."""
    google = await identity.sign_in_with_google(id_token, link_to=access_token)
    entry = audit.entry(
        Action.GOOGLE_LINKED, caller.user_id, by=caller, company_id=caller.company_id, after={"google": google.email}
    )
    await firestore.commit(entry)
    return google.sign_in.tokens


# --- one's own account


async def me(caller: Caller) -> User:
    """The caller's own record, as it is now; one read."""
    user = await users.get(caller.user_id)
    if user is None:
        raise errors.Unauthenticated("The account does not exist any more.")
    return user


async def change_me(caller: Caller, asked: MeChange, version: int | None) -> User:
    """Changes the caller's name, user name or password; a new password ends every sign-in.

    Raises AlreadyExists when the user name is taken, InvalidCredentials when the current password is wrong.
    """
    user = await me(caller)
    versions.require(user, version)
    fields: dict[str, Any] = asked.model_dump(include={"name", "username"}, exclude_none=True)
    if asked.password is not None:
        await rate_limits.before_sign_in(user.email)
        await identity.sign_in(user.email, asked.current_password or "")
        fields |= {"password_changed_at": now(), "tokens_valid_after": end_of_second()}
    names = await _renamed(user, fields)
    action = Action.PASSWORD_CHANGED if asked.password is not None else Action.USER_CHANGED
    shown = asked.model_dump(include={"name", "username"}, exclude_none=True)
    entry = audit.entry(
        action, user.id, by=caller, company_id=user.company_id, before={n: getattr(user, n) for n in shown}, after=shown
    )
    async with _password_of(user, asked):
        version = await firestore.commit(users.change(user, fields), *names, entry)
    callers.forget(user.id)
    if asked.password is not None:
        await end_sign_ins(user.id)
    return user.model_copy(update={**fields, "version": version})


@asynccontextmanager
async def _password_of(user: User, asked: MeChange) -> AsyncIterator[None]:
    """Sets the new password, if one is asked for; and the one before when what is written with it can't be."""
    if asked.password is None:
        yield
        return
    await identity.set_password(user.id, user.email, asked.password)
    try:
        yield
    except errors.AltaError:
        await identity.set_password(user.id, user.email, asked.current_password or "")
        raise


async def _renamed(user: User, fields: dict[str, Any]) -> tuple[Write, ...]:
    username = fields.get("username")
    if username is None or username.lower() == (user.username or "").lower():
        return ()
    await _require_free(username, user)
    released = (users.release(user.username),) if user.username else ()
    return (users.reserve(username, user, now()), *released)
