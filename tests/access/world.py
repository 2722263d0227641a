"""A world to test access in: everybody who can ask, and things of a company that they ask for."""

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, TypeVar

import httpx

from shared.models.assets import Asset, Kind
from shared.models.deadletters import DeadLetter
from shared.models.events import ObjectFinalized
from shared.models.exports import Export, ExportFilter, ExportFormat
from shared.models.identity import Company, ProjectRole, Role, User
from shared.models.invitations import Invitation
from shared.models.passkeys import Passkey
from shared.models.projects import Cycle, Project
from shared.models.records import Record, new_id, now
from shared.models.sessions import Session
from shared.models.webhooks import Delivery, Event, Webhook
from shared.services import sealing
from shared.services.invitations import LIFETIME
from shared.store import (
    assets,
    cycles,
    deadletters,
    exports,
    firestore,
    invitations,
    passkeys,
    projects,
    sessions,
    users,
    webhooks,
)
from tests import loopback
from tests.conftest import Cloud
from tests.people import Person, found_company, join

T = TypeVar("T", bound=Record)


class Who(StrEnum):
    """Everybody who can ask."""

    ANONYMOUS = "no token"
    BROKEN = "broken token"
    EXPIRED = "expired token"
    SUSPENDED = "suspended admin"
    DELETED = "deleted admin"
    UNVERIFIED = "unverified admin"
    STRANGER = "admin of another company"
    GUEST = "guest, contributor in the project"
    OUTSIDER = "user of the company without a role in the project"
    REVIEWER = "reviewer"
    CONTRIBUTOR = "contributor"
    PROJECT_ADMIN = "project admin"
    COMPANY_ADMIN = "company admin"
    SUPER_ADMIN = "super admin"


REFUSED = {
    Who.ANONYMOUS: (401, "unauthenticated"),
    Who.BROKEN: (401, "unauthenticated"),
    Who.EXPIRED: (401, "unauthenticated"),
    Who.SUSPENDED: (403, "account_suspended"),
    Who.DELETED: (401, "unauthenticated"),
    Who.UNVERIFIED: (403, "email_not_verified"),
}
"""Who comes in nowhere, and what they are told."""
LIVING = frozenset(Who) - REFUSED.keys()
MEMBERS = {
    Who.GUEST: ProjectRole.CONTRIBUTOR,
    Who.REVIEWER: ProjectRole.REVIEWER,
    Who.CONTRIBUTOR: ProjectRole.CONTRIBUTOR,
    Who.PROJECT_ADMIN: ProjectRole.ADMIN,
}
"""Their roles in every project of this world; its projects are by invitation only."""


@dataclass(frozen=True)
class Target:
    """Things of the company, made for one request: by the names that paths have for their ids."""

    project: Project
    cycle: Cycle
    session: Session
    document: Asset
    voice: Asset
    file: Asset
    user: User
    passkey: Passkey
    invitation: Invitation
    dead_letter: DeadLetter
    webhook: Webhook
    delivery: Delivery
    export: Export

    def ids(self) -> dict[str, str]:
        """The value of each path parameter. A token is nobody's, and a passkey the user's."""
        return {
            "project_id": self.project.id,
            "cycle_id": self.cycle.id,
            "session_id": self.session.id,
            "job_id": self.session.id,
            "document_id": self.document.id,
            "user_id": self.user.id,
            "company_id": self.project.company_id,
            "invitation_id": self.invitation.id,
            "passkey_id": self.passkey.id,
            "token": new_id("tok"),
            "name": "none.js",
            "number": "1",
            "dead_letter_id": self.dead_letter.id,
            "webhook_id": self.webhook.id,
            "delivery_id": self.delivery.id,
            "export_id": self.export.id,
        }

    def records(self) -> list[str]:
        """The ids of all of them, and of the company they belong to."""
        return [self.project.company_id, *(getattr(self, one.name).id for one in fields(self))]

    async def versions(self) -> dict[str, int]:
        """The present version of each thing, by id."""
        collections = dict.fromkeys(Kind, "assets") | {"dead_letter": "deadletters", "delivery": "deliveries"}
        paths = [f"{collections.get(one.name, f'{one.name}s')}/{getattr(self, one.name).id}" for one in fields(self)]
        stored = await firestore.get_many(Record, paths)
        assert len(stored) == len(paths), paths
        return {record_id: record.version for record_id, record in stored.items()}

    def nobodys(self) -> "Target":
        """The same under ids that do not exist."""
        company_id = new_id("cmp")

        def other(record: T) -> T:
            fresh = {"id": new_id(record.id.partition("_")[0]), "company_id": company_id}
            return record.model_copy(update=fresh)

        return Target(*(other(getattr(self, one.name)) for one in fields(self)))


@dataclass(frozen=True)
class World:
    """A company, and a client for everybody who can ask."""

    company: Company
    http: Mapping[Who, httpx.AsyncClient]
    people: Mapping[Who, Person]

    async def target(self, deleted: str | None = None) -> Target:
        """New things in a new project, by invitation only; the `deleted` one has to be restored first."""
        members = {self.people[who].user.id: role for who, role in MEMBERS.items()}
        return await things(self.company, members, deleted=deleted)


async def things(
    company: Company,
    members: Mapping[str, ProjectRole],
    *,
    name: str = "T",
    default_role: ProjectRole | None = None,
    deleted: str | None = None,
) -> Target:
    """A new project of a company, everything called `name` in it, and a new user of the company who is a reviewer."""
    moment, by = now(), "usr_nobody"

    def base(kind: str, prefix: str) -> dict[str, Any]:
        gone = moment if kind == deleted else None
        return {"id": new_id(prefix), "created_at": moment, "updated_at": moment, "deleted_at": gone}

    of: dict[str, Any] = {"company_id": company.id}
    email = f"{new_id('t')}@example.org"
    user = User(**base("user", "usr"), **of, email=email, name="T", role=Role.USER, email_verified=True)
    members = {**members, user.id: ProjectRole.REVIEWER}
    key = {"user_id": user.id, "credential_id": b"id", "public_key": b"key", "sign_count": 0, "backed_up": False}
    passkey = Passkey(**base("passkey", "psk"), **key, name=name)
    project = Project(
        **base("project", "prj"),
        **of,
        name=name,
        created_by=by,
        default_role=default_role,
        open_to=company.id if default_role else None,
        members=members,
        member_ids=list(members),
    )
    of["project_id"] = project.id
    cycle = Cycle(**base("cycle", "cyc"), **of, name=name, created_by=by)
    session = Session(**base("session", "ses"), **of, name=name, created_by=by)
    file = {"uploader_id": by, "path": name, "name": name, "content_type": "x/x", "size": 1, "text": name}
    document, voice, plain = (Asset(**base(kind, "ast"), **of, **file, kind=kind) for kind in Kind)
    invited = {"email": email, "project_name": name, "role": "reviewer", "invited_by": by, "invited_by_name": name}
    invitation = Invitation(**base("invitation", "inv"), **of, **invited, expires_at=moment + LIFETIME)
    event = ObjectFinalized(bucket="b", name=document.object_name, generation=1, size=1)
    dead_letter = DeadLetter(**base("dead letter", "dlt"), **of, asset_id=document.id, event=event)
    hook, url = base("webhook", "whk"), "https://hook.example.org/"
    secret = sealing.seal("whsec_AAAA", hook["id"])
    webhook = Webhook(**hook, **of, url=url, events=list(Event), sealed_secret=secret, created_by=by)
    told = {"event": Event.EXPORT_READY, "payload": "{}", "expires_at": moment + LIFETIME}
    delivery = Delivery(**base("delivery", "msg"), project_id=project.id, webhook_id=webhook.id, **told)
    export = Export(
        **base("export", "exp"),
        **of,
        format=ExportFormat.JSONL,
        filter=ExportFilter(),
        assets_total=0,
        created_by=by,
    )
    await firestore.commit(
        *users.create(user),
        passkeys.create(passkey),
        projects.create(project),
        cycles.create(cycle),
        sessions.create(session),
        *(assets.create(asset) for asset in (document, voice, plain)),
        invitations.put(invitation),
        deadletters.put(dead_letter),
        webhooks.create(webhook),
        webhooks.create_delivery(delivery),
        exports.create(export),
    )
    records = (project, cycle, session, document, voice, plain, user, passkey, invitation, dead_letter, webhook)
    return Target(*records, delivery, export)


@asynccontextmanager
async def world(cloud: Cloud) -> AsyncIterator[World]:
    """The world, with everybody signed in."""
    company = await found_company("Ours")
    people = {
        who: await join(cloud, company, role)
        for who, role in {
            Who.SUSPENDED: Role.ADMIN,
            Who.DELETED: Role.ADMIN,
            Who.UNVERIFIED: Role.ADMIN,
            Who.EXPIRED: Role.ADMIN,
            Who.OUTSIDER: Role.USER,
            Who.REVIEWER: Role.USER,
            Who.CONTRIBUTOR: Role.USER,
            Who.PROJECT_ADMIN: Role.USER,
            Who.COMPANY_ADMIN: Role.ADMIN,
        }.items()
    }
    people[Who.STRANGER] = await join(cloud, await found_company("Theirs"), Role.ADMIN)
    people[Who.GUEST] = await join(cloud, None, Role.USER)
    people[Who.SUPER_ADMIN] = await join(cloud, None, Role.SUPER_ADMIN)
    changes: dict[Who, dict[str, Any]] = {
        Who.SUSPENDED: {"suspended_at": now()},
        Who.DELETED: {"deleted_at": now()},
        Who.UNVERIFIED: {"email_verified": False},
    }
    for who, change in changes.items():
        user = await users.get(people[who].user.id)
        assert user is not None
        await firestore.commit(users.change(user, change))
    http = {who: person.http for who, person in people.items()}
    http[Who.EXPIRED].headers["Authorization"] = _expired(http[Who.EXPIRED].headers["Authorization"])
    for who, headers in {Who.ANONYMOUS: {}, Who.BROKEN: {"Authorization": "Bearer a.b.c"}}.items():
        http[who] = loopback.client(cloud.url, headers=headers)
    yield World(company, http, people)
    for client in http.values():
        await client.aclose()


def _expired(header: str) -> str:
    # The emulator's tokens are unsigned, so an expired one is made by saying so.
    head, payload, signature = header.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims |= {"exp": claims["iat"] - 60, "iat": claims["iat"] - 3660}
    return f"{head}.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.{signature}"
