"""Companies."""

from collections.abc import Mapping
from typing import Any

from shared.models.identity import Company
from shared.store import firestore
from shared.store.firestore import Condition, Query, Write

COMPANIES = "companies"


async def get(company_id: str) -> Company | None:
    """A company; one read."""
    return await firestore.get(Company, f"{COMPANIES}/{company_id}")


async def page(where: tuple[Condition, ...], limit: int, after: tuple[Any, ...] | None) -> list[Company]:
    """Companies, newest first."""
    asked = Query(COMPANIES, where=where, order=("-created_at",), limit=limit, start_after=after)
    return await firestore.query(Company, asked)


def create(company: Company) -> Write:
    """Writes a new company."""
    return firestore.create(COMPANIES, company)


def change(company: Company, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of a company."""
    return firestore.change(COMPANIES, company, fields)
