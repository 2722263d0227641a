"""Companies and people of a test's own: each test is its own tenant, so that tests run side by side."""

from dataclasses import dataclass

import httpx

from shared.models.identity import Company, Role, User
from shared.models.records import new_id, now
from shared.services import accounts
from shared.store import companies, firestore
from tests import loopback
from tests.conftest import Cloud

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Person:
    """Somebody with an account, and a client that is signed in as them."""

    user: User
    http: httpx.AsyncClient


async def found_company(name: str = "Test") -> Company:
    """A new company."""
    moment = now()
    company = Company(id=new_id("cmp"), created_at=moment, updated_at=moment, name=name)
    await firestore.commit(companies.create(company))
    return company


async def account(company: Company | None, role: Role = Role.USER) -> User:
    """A new, verified person of a company, who has not signed in."""
    moment = now()
    user_id = new_id("usr")
    user = User(
        id=user_id,
        created_at=moment,
        updated_at=moment,
        company_id=company.id if company else None,
        email=f"{user_id}@example.org",
        name="Somebody",
        role=role,
        email_verified=True,
    )
    await accounts.open_account(user, PASSWORD)
    return user


async def join(cloud: Cloud, company: Company | None, role: Role = Role.ADMIN) -> Person:
    """A new, verified person of a company, signed in."""
    user = await account(company, role)
    http = loopback.client(cloud.url)
    answer = await http.post("/api/auth/login", json={"email": user.email, "password": PASSWORD})
    answer.raise_for_status()
    http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return Person(user, http)
