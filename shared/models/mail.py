"""The platform's mail."""

from enum import StrEnum

from shared.models.records import Frozen


class LetterKind(StrEnum):
    """What the platform writes to people about."""

    VERIFICATION = "verification"
    ACCOUNT_EXISTS = "account_exists"
    PASSWORD_RESET = "password_reset"  # noqa: S105  # the name of a letter
    WELCOME = "welcome"
    INVITATION = "invitation"


class Letter(Frozen):
    """A letter to be written: what about and to whom. It holds no token: the `mail` function makes one as it writes."""

    kind: LetterKind
    to: str
    invitation_id: str | None = None


class Message(Frozen):
    """A message as it is sent."""

    to: str
    subject: str
    text: str
    html: str
