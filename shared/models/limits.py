"""Budgets."""

from typing import Annotated

from pydantic import Field

from shared.models.records import Frozen


class Limits(Frozen):
    """How much may be recognised in a calendar month (UTC); null: any amount."""

    monthly_pages: Annotated[int | None, Field(ge=0)] = None
    monthly_minutes: Annotated[int | None, Field(ge=0)] = None
