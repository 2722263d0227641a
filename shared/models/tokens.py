"""Tokens that are used once: out of mails, and the challenges of passkeys."""

from enum import StrEnum

from shared.models.records import Moment, Record


class Purpose(StrEnum):
    """What a token is for; one made for one purpose does nothing for another."""

    VERIFICATION = "verification"
    PASSWORD = "password"  # noqa: S105  # a purpose, no secret
    PASSKEY_REGISTRATION = "passkey_registration"
    PASSKEY_LOGIN = "passkey_login"


class Token(Record):
    """A token that is still to be used. Its id is the SHA-256 of the token, which itself is stored nowhere."""

    purpose: Purpose
    user_id: str | None
    """Whose it is; None for the challenge of somebody who has not said who they are."""
    expires_at: Moment
    """Not valid from then on; the database deletes it some time after."""
