"""The platform as a super admin sees it: all users, all companies, everything that was done."""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from shared.errors import Forbidden
from shared.models.audit import Action, AuditEntry, AuditView
from shared.models.identity import Caller, Company, CompanyState, Role, User, UserState
from shared.models.records import Frozen
from shared.store import audit, companies, search, users
from shared.store.firestore import Condition

CSV_ROWS = 10_000
"""Rows of one CSV at the most; filters narrow it."""
_CSV_PAGE = 500
_COLUMNS = tuple(AuditView.model_fields)
# A spreadsheet takes a cell that begins so for a formula (https://owasp.org/www-community/attacks/CSV_Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class AuditFilter(Frozen):
    """Which entries of the audit log are meant; what is not said matches all. `since` is inclusive, `until` is not."""

    company_id: str | None = None
    actor_id: str | None = None
    target_id: str | None = None
    action: Action | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> tuple[Condition, ...]:
        """The filter as conditions of a query."""
        names = ("company_id", "actor_id", "target_id", "action")
        equal: list[Condition] = [(name, "==", str(value)) for name in names if (value := getattr(self, name))]
        if self.since is not None:
            equal.append(("created_at", ">=", self.since))
        if self.until is not None:
            equal.append(("created_at", "<", self.until))
        return tuple(equal)


def require(caller: Caller) -> None:
    """Raises Forbidden for anybody but a super admin."""
    if not caller.is_super_admin:
        raise Forbidden("Only a super admin may do this.")


async def users_page(
    caller: Caller,
    size: int,
    after: tuple[Any, ...] | None,
    *,
    q: str = "",
    company_id: str | None = None,
    role: Role | None = None,
    state: UserState | None = None,
) -> list[User]:
    """Users of all companies, newest first, deleted ones too."""
    require(caller)
    where: list[Condition] = [*search.found_by(q)]
    if company_id is not None:
        where.append(("company_id", "==", company_id))
    if role is not None:
        where.append(("role", "==", role.value))
    if state is not None:
        where.append(("state", "==", state.value))
    return await users.page(tuple(where), size, after)


async def companies_page(
    caller: Caller, size: int, after: tuple[Any, ...] | None, *, q: str = "", state: CompanyState | None = None
) -> list[Company]:
    """All companies, newest first."""
    require(caller)
    where: list[Condition] = [*search.found_by(q)]
    if state is not None:
        where.append(("state", "==", state.value))
    return await companies.page(tuple(where), size, after)


async def audit_page(caller: Caller, size: int, after: tuple[Any, ...] | None, asked: AuditFilter) -> list[AuditEntry]:
    """Entries of the audit log, newest first."""
    require(caller)
    return await audit.page(asked.conditions(), size, after)


async def audit_csv(asked: AuditFilter) -> AsyncIterator[str]:
    """The newest `CSV_ROWS` entries as CSV (RFC 4180), a page of them at a time."""
    yield _csv([_COLUMNS])
    after: tuple[Any, ...] | None = None
    for _ in range(0, CSV_ROWS, _CSV_PAGE):
        found = await audit.page(asked.conditions(), _CSV_PAGE, after)
        yield _csv([_row(entry) for entry in found])
        if len(found) < _CSV_PAGE:
            return
        after = (found[-1].created_at, found[-1].id)


def _row(entry: AuditEntry) -> tuple[str, ...]:
    fields = audit_view(entry).model_dump(mode="json")
    return tuple(_cell(fields[column]) for column in _COLUMNS)


def _cell(value: Any) -> str:
    text = json.dumps(value) if isinstance(value, dict) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv(rows: list[tuple[str, ...]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


def audit_view(entry: AuditEntry) -> AuditView:
    """An entry as an administrator sees it."""
    return AuditView(**entry.model_dump())
