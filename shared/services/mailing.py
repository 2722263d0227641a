"""Writing the letters that were asked for, and sending them: what the `mail` function does."""

from datetime import timedelta

from shared import logs
from shared.cloud import mail
from shared.models.identity import User
from shared.models.mail import Letter, LetterKind
from shared.models.records import now
from shared.models.tokens import Purpose
from shared.services import letters, tokens
from shared.settings import settings
from shared.store import companies, firestore, invitations, users

WELCOME_LIFETIME = timedelta(days=7)
"""How long somebody has to choose their first password."""

_log = logs.logger(__name__)


async def write_and_send(asked: Letter) -> None:
    """Writes a letter and sends it, if there still is a reason to.

    Permanent, logged and acknowledged: an address that the mail server refuses for good. Retried: everything else.
    """
    letter = await _written(asked)
    if letter is None:
        _log.info("letter_dropped", kind=asked.kind)
        return
    try:
        await mail.send(letter.to(asked.to))
    except mail.Undeliverable as error:
        _log.warning("letter_undeliverable", kind=asked.kind, reason=str(error))
        return
    _log.info("letter_sent", kind=asked.kind)


async def _written(asked: Letter) -> letters.Letter | None:
    if asked.kind is LetterKind.INVITATION:
        return await _invitation(asked.invitation_id or "")
    user = await users.with_email(asked.to)
    if user is None or user.deleted_at is not None or user.suspended_at is not None:
        return None
    match asked.kind:
        case LetterKind.VERIFICATION:
            return None if user.email_verified else letters.verification(user.name, await _verify_link(user))
        case LetterKind.ACCOUNT_EXISTS:
            return letters.account_exists(user.name, await _password_link(user))
        case LetterKind.PASSWORD_RESET:
            return letters.password_reset(user.name, await _password_link(user))
        case LetterKind.WELCOME:
            company = await companies.get(user.company_id) if user.company_id else None
            link = await _password_link(user, WELCOME_LIFETIME)
            return letters.welcome(user.name, company.name if company else "Alta", link)


async def _verify_link(user: User) -> str:
    token, write = tokens.issue(Purpose.VERIFICATION, user.id)
    await firestore.commit(write)
    return link("/api/auth/verify-email", token)


async def _password_link(user: User, lifetime: timedelta | None = None) -> str:
    token, write = tokens.issue(Purpose.PASSWORD, user.id, lifetime)
    await firestore.commit(write)
    return link("/api/auth/password-reset", token)


async def _invitation(invitation_id: str) -> letters.Letter | None:
    found = await invitations.get(invitation_id)
    if found is None or not found.is_open(now()):
        return None
    token = tokens.random()
    await firestore.commit(invitations.change(found, {"token_hash": tokens.hashed(token)}))
    address = link("/api/auth/invitation", token)
    return letters.invitation(found.invited_by_name, found.project_name, found.role, address)


def link(path: str, token: str) -> str:
    """An address of ours with a token. It stands in the fragment, which no server logs and no referrer tells."""
    return f"{settings().public_url.rstrip('/')}{path}#token={token}"
