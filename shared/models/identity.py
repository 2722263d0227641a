"""Companies, users and what they may be."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import EmailStr, Field, StringConstraints

from shared.models.records import Asked, Frozen, Moment, Name, Record


class Role(StrEnum):
    """What a user is on the platform and in their company."""

    SUPER_ADMIN = "super_admin"
    ADMIN = "admin"
    USER = "user"


class ProjectRole(StrEnum):
    """What a user is in one project."""

    ADMIN = "admin"
    CONTRIBUTOR = "contributor"
    REVIEWER = "reviewer"


class Company(Record):
    """A tenant."""

    name: str
    suspended_at: Moment | None = None


class User(Record):
    """A person. The id is also their id at the identity provider, which alone knows the password."""

    company_id: str | None
    """None for a super admin and for a guest who belongs to no company."""
    email: str
    username: str | None = None
    name: str
    role: Role
    email_verified: bool = False
    suspended_at: Moment | None = None


class Username(Record):
    """Reserves a user name; its id is the name in lower case."""

    user_id: str
    email: str


class Caller(Frozen):
    """Who makes the request."""

    user_id: str
    company_id: str | None
    role: Role
    email: str
    name: str

    @property
    def is_super_admin(self) -> bool:
        """Whether the caller stands above all companies."""
        return self.role is Role.SUPER_ADMIN

    def administers(self, company_id: str) -> bool:
        """Whether the caller may do everything inside this company."""
        return self.is_super_admin or (self.role is Role.ADMIN and self.company_id == company_id)


Password = Annotated[str, StringConstraints(min_length=8, max_length=200)]
"""8 to 200 characters; what else it must be is the identity provider's password policy."""

UsernameText = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,63}$")]
"""2 to 64 letters, digits, dots, dashes or underscores."""


class Registration(Asked):
    """Founds a company (`company_name`) or joins by invitation (`invitation_token`)."""

    email: EmailStr
    password: Password
    name: Name
    username: UsernameText | None = None
    company_name: Name | None = None
    invitation_token: str | None = None


class Credentials(Asked):
    """What a person signs in with: a user name or an e-mail, and the password."""

    username: str | None = None
    email: str | None = None
    password: Annotated[str, Field(max_length=200)]


class RefreshRequest(Asked):
    """A refresh token, to be exchanged for a fresh access token."""

    refresh_token: str


class Tokens(Frozen):
    """What a sign-in answers. `expires_in` is in seconds."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  # a word of RFC 6750, no secret
    expires_in: int


class UserView(Frozen):
    """A user as clients see them."""

    id: str
    email: str
    username: str | None
    name: str
    company_id: str | None
    role: Role
    email_verified: bool
    created_at: Moment
