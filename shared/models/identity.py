"""Companies, users and what they may be."""

from enum import StrEnum
from typing import Annotated, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from shared.models.limits import Limits
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


class CompanyRole(StrEnum):
    """What a company's admin can make of somebody; a super admin is made by the platform's operator alone."""

    ADMIN = "admin"
    USER = "user"


class UserState(StrEnum):
    """Where a user stands; only an active one comes in."""

    ACTIVE = "active"
    UNVERIFIED = "unverified"
    SUSPENDED = "suspended"
    DELETED = "deleted"


class CompanyState(StrEnum):
    """Where a company stands; only the people of an active one come in."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


def _address(text: str) -> str:
    # Whether the address can receive mail is what verification finds out, so that names of a local network pass.
    try:
        found = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from error
    return found.normalized.lower()


Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_address)]
"""An e-mail address in lower case (RFC 5321, 4.5.3.1: at most 254 characters)."""

Password = Annotated[str, StringConstraints(min_length=8, max_length=200)]
"""8 to 200 characters; what else it must be is the identity provider's password policy."""

SecretText = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A password or token to be checked: bounded, and otherwise taken as it comes."""

UsernameText = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,63}$")]
"""2 to 64 letters, digits, dots, dashes or underscores."""


class Company(Record):
    """A tenant. Every change of who its admins are writes it, so that two of them can't pass each other."""

    name: str
    suspended_at: Moment | None = None
    limits: Limits = Limits()

    @property
    def state(self) -> CompanyState:
        """Where the company stands."""
        return CompanyState.ACTIVE if self.suspended_at is None else CompanyState.SUSPENDED


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
    tokens_valid_after: Moment | None = None
    """Whoever signed in before has to sign in again: the moment of a logout, suspension or password reset."""
    password_changed_at: Moment | None = None
    """Links to choose a password that were made before are refused."""

    @property
    def state(self) -> UserState:
        """Where the user stands."""
        if self.deleted_at is not None:
            return UserState.DELETED
        if self.suspended_at is not None:
            return UserState.SUSPENDED
        return UserState.ACTIVE if self.email_verified else UserState.UNVERIFIED


class Username(Record):
    """Reserves a user name; its id is the name in lower case."""

    user_id: str
    email: str


class Address(Record):
    """Reserves an e-mail address; its id is derived from the address."""

    user_id: str


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


# --- what clients send


class Registration(Asked):
    """Founds a company (`company_name`) or joins by invitation (`invitation_token`)."""

    email: Email
    password: Password
    name: Name
    username: UsernameText | None = None
    company_name: Name | None = None
    invitation_token: SecretText | None = None

    @model_validator(mode="after")
    def _one_way_in(self) -> "Registration":
        if (self.company_name is None) is (self.invitation_token is None):
            raise ValueError("send either company_name, to found a company, or invitation_token, to join")
        return self


class Credentials(Asked):
    """What a person signs in with: a user name or an e-mail, and the password. An e-mail is a user name too."""

    username: Annotated[str | None, Field(min_length=1, max_length=254)] = None
    email: Annotated[str | None, Field(min_length=1, max_length=254)] = None
    password: SecretText

    @model_validator(mode="after")
    def _one_name(self) -> "Credentials":
        if (self.username is None) is (self.email is None):
            raise ValueError("send either username or email")
        return self

    @property
    def account(self) -> str:
        """The user name or e-mail, as it is compared."""
        return (self.username or self.email or "").strip().lower()


class RefreshRequest(Asked):
    """A refresh token, to be exchanged for a fresh access token."""

    refresh_token: Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class EmailRequest(Asked):
    """An address that mail is asked for."""

    email: Email


class TokenRequest(Asked):
    """The token out of a mail."""

    token: SecretText


class PasswordChange(Asked):
    """The token out of a reset mail, and the password to be."""

    token: SecretText
    password: Password


class GoogleSignIn(Asked):
    """A Google ID token; with `company_name` or `invitation_token` it may also register whoever it belongs to."""

    id_token: Annotated[str, StringConstraints(min_length=1, max_length=8192)]
    company_name: Name | None = None
    invitation_token: SecretText | None = None


class GoogleLink(Asked):
    """The Google ID token of the account to be linked."""

    id_token: Annotated[str, StringConstraints(min_length=1, max_length=8192)]


class MeChange(Asked):
    """What a person may change of their own account; a field that is not sent stays.

    A new `password` needs the `current_password`, and signs out everywhere.
    """

    name: Name | None = None
    username: UsernameText | None = None
    password: Password | None = None
    current_password: SecretText | None = None

    @model_validator(mode="after")
    def _proven(self) -> "MeChange":
        if self.password is not None and self.current_password is None:
            raise ValueError("a new password needs current_password")
        return self


class NewUser(Asked):
    """A user to be made in a company. Without a password, the welcome mail lets them choose one."""

    email: Email
    name: Name
    username: UsernameText | None = None
    role: CompanyRole = CompanyRole.USER
    password: Password | None = None
    company_id: str | None = None
    """Only a super admin names another company than their own."""


class UserChange(Asked):
    """What an admin may change of a user; a field that is not sent stays."""

    name: Name | None = None
    role: CompanyRole | None = None


class NewCompany(Asked):
    """A company to be made, with the person who is to be its first admin."""

    name: Name
    admin_email: Email
    admin_name: Name


class CompanyChange(Asked):
    """What may change of a company; a field that is not sent stays. The budget is the platform's to set."""

    name: Name | None = None
    limits: Limits | None = None


# --- what clients are answered


class Tokens(Frozen):
    """What a sign-in answers. `expires_in` is in seconds."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  # a word of RFC 6750, no secret
    expires_in: int


class Accepted(Frozen):
    """What is answered alike whether or not the address is known: if there is something to say, a mail says it."""

    status: Literal["mail_sent_if_applicable"] = "mail_sent_if_applicable"


class UserView(Frozen):
    """A user as clients see them."""

    id: str
    email: str
    username: str | None
    name: str
    company_id: str | None
    role: Role
    state: UserState
    email_verified: bool
    suspended_at: Moment | None
    created_at: Moment
    updated_at: Moment
    deleted_at: Moment | None


class CompanyView(Frozen):
    """A company as clients see it."""

    id: str
    name: str
    state: CompanyState
    suspended_at: Moment | None
    limits: Limits
    created_at: Moment
    updated_at: Moment
