"""Companies: seen by their people, renamed by their admins, made and suspended by super admins."""

from typing import Any

from shared.errors import AlreadyExists, Forbidden, NotFound, StateConflict
from shared.models.audit import Action
from shared.models.identity import Caller, Company, CompanyChange, CompanyRole, CompanyView, NewCompany, NewUser
from shared.models.mail import LetterKind
from shared.models.records import new_id, now
from shared.services import access, accounts, audit, mail, users, versions
from shared.store import companies, firestore, search
from shared.store.firestore import Conflict


async def page(caller: Caller, size: int, after: tuple[Any, ...] | None, *, q: str = "") -> list[Company]:
    """All companies for a super admin, newest first; one's own for everybody else."""
    if caller.is_super_admin:
        return await companies.page(search.found_by(q), size, after)
    own = await companies.get(caller.company_id) if caller.company_id and after is None else None
    return [own] if own is not None else []


async def get(caller: Caller, company_id: str) -> Company:
    """One's own company, or any for a super admin; NotFound for any other."""
    company = await companies.get(company_id)
    if company is None or not (caller.is_super_admin or caller.company_id == company_id):
        raise NotFound("There is no such company.")
    return company


async def create(caller: Caller, asked: NewCompany) -> Company:
    """A new company with its first admin, who gets a mail to choose a password. Super admins only.

    Raises AlreadyExists when the admin's address is taken.
    """
    _require_super_admin(caller)
    moment = now()
    company = Company(id=new_id("cmp"), created_at=moment, updated_at=moment, name=asked.name)
    admin = users.new_user(NewUser(email=asked.admin_email, name=asked.admin_name, role=CompanyRole.ADMIN), company.id)
    shown = {"name": company.name, "admin": admin.email}
    entry = audit.entry(Action.COMPANY_CREATED, company.id, by=caller, company_id=company.id, after=shown)
    try:
        version = await accounts.open_account(admin, None, companies.create(company), entry)
    except Conflict as error:
        raise AlreadyExists("The admin's e-mail has an account already.") from error
    await mail.ask_for(LetterKind.WELCOME, admin.email)
    return company.model_copy(update={"version": version})


async def change(caller: Caller, company_id: str, asked: CompanyChange, version: int | None) -> Company:
    """Changes the name, and for a super admin the budget. `version` is the one that must be current, if any."""
    company = await get(caller, company_id)
    if not caller.administers(company_id):
        raise Forbidden("Only an admin of the company may do this.")
    if asked.limits is not None:
        _require_super_admin(caller)
    versions.require(company, version)
    return await _change(caller, company, asked.model_dump(exclude_none=True), Action.COMPANY_CHANGED)


async def suspend(caller: Caller, company_id: str) -> Company:
    """Keeps all people of a company out, and everybody else out of its projects, within 30 s and until it is restored.

    Super admins only.
    """
    company = await _ruled(caller, company_id)
    if company.suspended_at is not None:
        raise StateConflict("This company is suspended.", details={"state": "suspended"})
    return await _change(caller, company, {"suspended_at": now()}, Action.COMPANY_SUSPENDED)


async def restore(caller: Caller, company_id: str) -> Company:
    """Lets the people of a suspended company in again. Super admins only."""
    company = await _ruled(caller, company_id)
    if company.suspended_at is None:
        raise StateConflict("This company is not suspended.", details={"state": "active"})
    return await _change(caller, company, {"suspended_at": None}, Action.COMPANY_RESTORED)


async def _ruled(caller: Caller, company_id: str) -> Company:
    company = await get(caller, company_id)
    _require_super_admin(caller)
    return company


def _require_super_admin(caller: Caller) -> None:
    if not caller.is_super_admin:
        raise Forbidden("Only a super admin may do this.")


async def _change(caller: Caller, company: Company, fields: dict[str, Any], action: Action) -> Company:
    changed = Company.model_validate({**company.model_dump(), **fields, "updated_at": now()})
    before, after = (one.model_dump(include=set(fields)) for one in (company, changed))
    entry = audit.entry(action, company.id, by=caller, company_id=company.id, before=before, after=after)
    version = await firestore.commit(companies.change(company, fields), entry)
    access.forget_company(company.id)
    return changed.model_copy(update={"version": version})


def view(company: Company) -> CompanyView:
    """A company as clients see it."""
    return CompanyView(**company.model_dump(), state=company.state)
