"""Projects and cycles: what data is collected for, and in which rounds."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from shared.models.identity import ProjectRole
from shared.models.limits import Limits
from shared.models.listing import Named
from shared.models.records import Asked, Frozen, Id, Moment, Name, Text, unsent

LanguageTag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
"""A BCP 47 language tag such as `en` or `de-CH`."""


Approvals = Annotated[int, Field(ge=1, le=10)]
"""How many different reviewers must approve a document."""


class Permission(StrEnum):
    """What can be done in a project."""

    READ = "read"
    CONTRIBUTE = "contribute"
    REVIEW = "review"
    MANAGE = "manage"


class Project(Named):
    """A project, with its explicit members, so that one read gives the project and the caller's role."""

    company_id: str
    description: str = ""
    default_role: ProjectRole | None = ProjectRole.ADMIN
    """What users of the company are here without a membership; None: by invitation only."""
    members: dict[str, ProjectRole] = {}
    """User id → role."""
    member_ids: list[str] = []
    """The keys of `members`, for queries."""
    open_to: str | None = None
    """The company whose users have `default_role` here; None when there is none. For queries."""
    languages: list[str] = []
    limits: Limits = Limits()
    recognise_once: bool = False
    """Whether identical content is recognised once only."""
    approvals: Approvals = 1
    created_by: str


class NewProject(Asked):
    """A project to be made."""

    name: Name
    description: Text = ""
    default_role: ProjectRole | None = ProjectRole.ADMIN
    languages: Annotated[list[LanguageTag], Field(max_length=10)] = []
    limits: Limits = Limits()
    recognise_once: bool = False
    approvals: Approvals = 1
    company_id: Id | None = None
    """Only a super admin names another company than their own."""


class ProjectChange(Asked):
    """What may change of a project; a field that is not sent stays. `default_role` null: by invitation only."""

    name: Name = unsent()
    description: Text = unsent()
    default_role: ProjectRole | None = None
    languages: Annotated[list[LanguageTag], Field(max_length=10)] = unsent()
    limits: Limits = unsent()
    recognise_once: bool = unsent()
    approvals: Approvals = unsent()


class ProjectView(Frozen):
    """A project as the caller sees it; `role` is theirs."""

    id: str
    name: str
    description: str
    company_id: str
    default_role: ProjectRole | None
    role: ProjectRole
    languages: list[str]
    limits: Limits
    recognise_once: bool
    approvals: int
    created_by: str
    created_at: Moment
    updated_at: Moment
    deleted_at: Moment | None


class Cycle(Named):
    """A dated round of collection. Dates are inclusive, `YYYY-MM-DD`."""

    company_id: str
    project_id: str
    starts_on: str | None = None
    ends_on: str | None = None
    created_by: str


class NewCycle(Asked):
    """A cycle to be made."""

    project_id: Id
    name: Name
    starts_on: date | None = None
    ends_on: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "NewCycle":
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValueError("ends_on is before starts_on")
        return self


class CycleChange(Asked):
    """What may change of a cycle; a field that is not sent stays, a date that is null goes."""

    name: Name = unsent()
    starts_on: date | None = None
    ends_on: date | None = None


class CycleView(Frozen):
    """A cycle as clients see it."""

    id: str
    project_id: str
    name: str
    starts_on: date | None
    ends_on: date | None
    created_by: str
    created_at: Moment
    updated_at: Moment
    deleted_at: Moment | None
