"""The default company of the local cloud: "Alta" with its admin, `admin` / `admin123`. Never in production.

Made as any company is, through the platform's own services, and only what is missing.
"""

import asyncio
import time

from shared import errors
from shared.cloud import identity
from shared.models.identity import Company, Role, User
from shared.models.records import now
from shared.services import accounts
from shared.store import companies, firestore, users

COMPANY_ID = "cmp_alta"
USER_ID = "usr_admin"
EMAIL = "admin@alta.local"
USERNAME = "admin"
PATIENCE = 60.0
"""Seconds that the emulators are given."""
PASSWORD = "admin123"  # noqa: S105  # known to everybody: it opens nothing but a cloud on this machine


async def seed() -> None:
    """Makes the company and its admin, if they are not there; the environment says where.

    Emulators that have just started may be slow to answer their first requests: that is waited for, with a limit.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            await _seed()
        except errors.Unavailable:
            if time.monotonic() > deadline:
                raise
        else:
            return


async def _seed() -> None:
    moment = now()
    if await companies.get(COMPANY_ID) is None:
        company = Company(id=COMPANY_ID, created_at=moment, updated_at=moment, name="Alta")
        await firestore.commit(companies.create(company))
    if await users.get(USER_ID) is None:
        admin = User(
            id=USER_ID,
            created_at=moment,
            updated_at=moment,
            company_id=COMPANY_ID,
            email=EMAIL,
            username=USERNAME,
            name="Admin",
            role=Role.ADMIN,
            email_verified=True,
        )
        # The emulators keep nothing of each other: the one of Firebase Auth may know the admin already.
        await identity.delete_user(USER_ID)
        await accounts.open_account(admin, PASSWORD)
    elif await identity.id_of(EMAIL) is None:
        await identity.set_password(USER_ID, EMAIL, PASSWORD)


if __name__ == "__main__":
    asyncio.run(seed())
