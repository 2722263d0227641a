"""Makes the first super admin, or the next one: `python -m infra.super_admin EMAIL [--name NAME]`.

Super admins are made and unmade by the platform's operator, never over HTTP. The command reads the environment of a
function, so that it works on the local cloud and on Google alike (there, as somebody who may write to Firestore and
Identity Platform). Somebody new gets a link to choose a password, written to standard output. `--revoke` makes a super
admin a user without a company.
"""

import argparse
import asyncio
import sys
from typing import Any

from shared.models.audit import Action
from shared.models.identity import Role, User
from shared.models.records import new_id, now
from shared.models.tokens import Purpose
from shared.services import accounts, audit, mailing, tokens
from shared.store import firestore, users


async def make(email: str, name: str) -> str | None:
    """Makes the person with this address a super admin; returns a link to choose a password for who has none yet.

    A super admin stands above all companies and so belongs to none.
    """
    user = await users.with_email(email)
    if user is not None:
        fields = {"role": Role.SUPER_ADMIN, "company_id": None, "deleted_at": None, "suspended_at": None}
        await _change(user, Action.SUPER_ADMIN_MADE, fields)
        return None
    moment = now()
    user = User(
        id=new_id("usr"),
        created_at=moment,
        updated_at=moment,
        company_id=None,
        email=email,
        name=name,
        role=Role.SUPER_ADMIN,
    )
    entry = audit.entry(Action.SUPER_ADMIN_MADE, user.id, by=None, company_id=None, after={"email": email})
    await accounts.open_account(user, None, entry)
    token, write = tokens.issue(Purpose.PASSWORD, user.id)
    await firestore.commit(write)
    return mailing.link("/api/auth/password-reset", token)


async def revoke(email: str) -> None:
    """Makes a super admin a user without a company. Raises LookupError when they are none."""
    user = await users.with_email(email)
    if user is None or user.role is not Role.SUPER_ADMIN:
        raise LookupError(f"{email} is no super admin")
    await _change(user, Action.SUPER_ADMIN_UNMADE, {"role": Role.USER, "tokens_valid_after": accounts.end_of_second()})
    await accounts.end_sign_ins(user.id)


async def _change(user: User, action: Action, fields: dict[str, Any]) -> None:
    before, after = {"role": str(user.role)}, {"role": str(fields["role"])}
    entry = audit.entry(action, user.id, by=None, company_id=None, before=before, after=after)
    await firestore.commit(users.change(user, fields), entry)


async def _run(email: str, name: str, *, is_revoked: bool) -> None:
    if is_revoked:
        await revoke(email)
        sys.stdout.write(f"{email} is no super admin any more.\n")
        return
    link = await make(email, name)
    sys.stdout.write(f"{email} is a super admin.\n")
    if link is not None:
        sys.stdout.write(f"To choose a password, within one hour: {link}\n")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="infra.super_admin", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("email", type=str.lower, help="address of the person")
    parser.add_argument("--name", default="Super admin", help="name of somebody new")
    parser.add_argument("--revoke", action="store_true", help="take it back")
    given = parser.parse_args()
    asyncio.run(_run(given.email, given.name, is_revoked=given.revoke))


if __name__ == "__main__":
    main()
