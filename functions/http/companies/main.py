"""Companies, one's own and, for super admins, all: /api/companies."""

from typing import Annotated

from shared.models.identity import CompanyChange, CompanyView, NewCompany
from shared.services import companies
from shared.web.app import http_function, router_at
from shared.web.caller import SignedIn
from shared.web.etags import Conditional
from shared.web.paging import Page, Paged, newest_first

from fastapi import Query

router = router_at("/api/companies")

Search = Annotated[str, Query(max_length=100, description="Beginning of a word of the name.")]


@router.get("")
async def list_companies(caller: SignedIn, paging: Paged, q: Search = "") -> Page[CompanyView]:
    """The caller's company; all companies for a super admin, newest first."""
    found = await companies.page(caller, paging.size, paging.after, q=q)
    return paging.page(found, companies.view, newest_first)


@router.post("", status_code=201)
async def create_company(caller: SignedIn, asked: NewCompany, etag: Conditional) -> CompanyView:
    """Makes a company and its first admin, who gets a mail to choose a password. Super admins only."""
    company = await companies.create(caller, asked)
    etag.answer(company.version)
    return companies.view(company)


@router.get("/{company_id}")
async def get_company(caller: SignedIn, company_id: str, etag: Conditional) -> CompanyView:
    """One company."""
    company = await companies.get(caller, company_id)
    etag.answer(company.version)
    return companies.view(company)


@router.patch("/{company_id}")
async def change_company(caller: SignedIn, company_id: str, asked: CompanyChange, etag: Conditional) -> CompanyView:
    """Changes the name: the company's admins. Sets the monthly budget: super admins only."""
    company = await companies.change(caller, company_id, asked, etag.expected)
    etag.answer(company.version)
    return companies.view(company)


@router.post("/{company_id}/suspend")
async def suspend_company(caller: SignedIn, company_id: str) -> CompanyView:
    """Keeps all people of a company out, and everybody else out of its projects, within 30 s. Super admins only."""
    return companies.view(await companies.suspend(caller, company_id))


@router.post("/{company_id}/restore")
async def restore_company(caller: SignedIn, company_id: str) -> CompanyView:
    """Lets the people of a suspended company in again. Super admins only."""
    return companies.view(await companies.restore(caller, company_id))


main = http_function("companies", router)
