"""Companies."""

from collections.abc import Mapping
from typing import Any

from shared.models.identity import Company
from shared.store import firestore
from shared.store.firestore import Condition, Query, Write
from shared.store.search import searchable

COMPANIES = "companies"

_FIELDS = tuple(name for name in Company.model_fields if name not in ("id", "version"))


async def get(company_id: str) -> Company | None:
    """A company; one read."""
    return await firestore.get(Company, f"{COMPANIES}/{company_id}")


async def page(where: tuple[Condition, ...], limit: int, after: tuple[Any, ...] | None) -> list[Company]:
    """Companies, newest first."""
    asked = Query(COMPANIES, where=where, order=("-created_at",), limit=limit, start_after=after, select=_FIELDS)
    return await firestore.query(Company, asked)


def create(company: Company) -> Write:
    """Writes a new company."""
    return _searchable(firestore.create(COMPANIES, company), company)


def change(company: Company, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of a company; with none, it only shows the next one that something was changed."""
    return _searchable(firestore.change(COMPANIES, company, fields), company.model_copy(update=dict(fields)))


def _searchable(write: Write, company: Company) -> Write:
    return searchable(write, company.name, state=company.state)
