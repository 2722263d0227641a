"""The platform as super admins see it: /api/admin."""

from typing import Annotated, Any

from shared.models.audit import Action, AuditView
from shared.models.deadletters import DeadLetterView
from shared.models.identity import CompanyState, CompanyView, Role, UserState, UserView
from shared.models.records import AskedMoment
from shared.services import administration, companies, deadletters, users
from shared.services.administration import AuditFilter
from shared.web.app import http_function, router_at
from shared.web.caller import SignedIn
from shared.web.paging import Page, Paged, newest_first

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse

router = router_at("/api/admin")

Search = Annotated[str, Query(max_length=100, description="Beginning of a word of the name, e-mail or user name.")]
Id = Annotated[str | None, Query(max_length=100)]


def _filter(
    company_id: Id = None,
    actor_id: Id = None,
    target_id: Id = None,
    action: Action | None = None,
    since: Annotated[AskedMoment | None, Query(description="From this moment on.")] = None,
    until: Annotated[AskedMoment | None, Query(description="Before this moment.")] = None,
) -> AuditFilter:
    return AuditFilter(
        company_id=company_id, actor_id=actor_id, target_id=target_id, action=action, since=since, until=until
    )


Filter = Annotated[AuditFilter, Depends(_filter)]


@router.get("/users")
async def list_all_users(
    caller: SignedIn,
    paging: Paged,
    q: Search = "",
    company_id: Id = None,
    role: Role | None = None,
    state: UserState | None = None,
) -> Page[UserView]:
    """Users of all companies, newest first, deleted ones too."""
    found = await administration.users_page(
        caller, paging.size, paging.after, q=q, company_id=company_id, role=role, state=state
    )
    return paging.page(found, users.view, newest_first)


@router.get("/companies")
async def list_all_companies(
    caller: SignedIn, paging: Paged, q: Search = "", state: CompanyState | None = None
) -> Page[CompanyView]:
    """All companies, newest first."""
    found = await administration.companies_page(caller, paging.size, paging.after, q=q, state=state)
    return paging.page(found, companies.view, newest_first)


@router.get("/audit")
async def list_audit(caller: SignedIn, paging: Paged, asked: Filter) -> Page[AuditView]:
    """What was done, newest first."""
    found = await administration.audit_page(caller, paging.size, paging.after, asked)
    return paging.page(found, administration.audit_view, newest_first)


_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


@router.get("/audit.csv", response_class=StreamingResponse, responses=_CSV)
async def audit_csv(caller: SignedIn, asked: Filter) -> StreamingResponse:
    """What was done, newest first, as CSV; at most 10,000 rows."""
    administration.require(caller)
    disposition = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return StreamingResponse(administration.audit_csv(asked), media_type="text/csv", headers=disposition)


@router.get("/dead-letters")
async def list_dead_letters(caller: SignedIn, paging: Paged) -> Page[DeadLetterView]:
    """Events that were given up on, newest first; a company's admin sees those of the company."""
    found = await deadletters.page(caller, paging.size, paging.after)
    return paging.page(found, deadletters.view, newest_first)


@router.post("/dead-letters/{dead_letter_id}/replay")
async def replay_dead_letter(caller: SignedIn, dead_letter_id: str) -> DeadLetterView:
    """Has the event delivered again."""
    return deadletters.view(await deadletters.replay(caller, dead_letter_id))


main = http_function("admin", router)
