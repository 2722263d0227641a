"""What everybody is expected to get from every route. A route that is missing here fails the test.

The roles are those of the design; a rule says who may, and who sees that there is something but may not. Whoever sees
nothing gets what they would get for an id that does not exist.
"""

import importlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from infra.catalog import Kind, functions
from shared.models.records import new_id
from shared.web.app import apps
from tests.access.world import LIVING, Target, Who

Json = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """`may`: those who get what they ask for. `sees`: those who are told that they may not (403). All others: 404."""

    may: frozenset[Who]
    sees: frozenset[Who] = frozenset()

    def expected(self, who: Who) -> int | None:
        """The status of a refusal; None for no refusal."""
        return None if who in self.may else 403 if who in self.sees else 404


def _rule(sees: frozenset[Who], *without: Who) -> Rule:
    return Rule(sees - set(without), sees)


_IN_COMPANY = LIVING - {Who.STRANGER, Who.GUEST}
_IN_PROJECT = LIVING - {Who.STRANGER, Who.OUTSIDER}
_SUPER = frozenset({Who.SUPER_ADMIN})
_ADMINS = frozenset({Who.SUPER_ADMIN, Who.COMPANY_ADMIN})

ANYBODY = None
"""No sign-in is needed, and having one makes no difference."""
SIGNED_IN = Rule(LIVING)
OWN = Rule(frozenset())
"""Only one's own, and what is asked for is somebody's who never asks."""
NO_REVISION = Rule(frozenset())
"""What has never been corrected has no revision for anybody."""
SUPER_ADMIN = Rule(_SUPER, LIVING)
ANY_ADMIN = Rule(_ADMINS | {Who.STRANGER}, LIVING)
"""Admins of any company; each sees what is their company's."""
READ = _rule(_IN_PROJECT)
CONTRIBUTE = _rule(_IN_PROJECT, Who.REVIEWER)
REVIEW = _rule(_IN_PROJECT, Who.GUEST, Who.CONTRIBUTOR)
MANAGE = _rule(_IN_PROJECT, Who.GUEST, Who.CONTRIBUTOR, Who.REVIEWER)
COMPANY_READ = _rule(_IN_COMPANY)
COMPANY_ADMIN = Rule(_ADMINS, _IN_COMPANY)
COMPANY_SUPER_ADMIN = Rule(_SUPER, _IN_COMPANY)
PROJECT_CREATE = Rule(_IN_COMPANY, LIVING)
"""Everybody makes projects in their own company, and is told so if they name another: that tells nothing of it."""


@dataclass(frozen=True)
class Expected:
    """A rule, and a request that is in order: its body, query, and what of it is deleted at first."""

    rule: Rule | None
    body: Callable[[Target], Json | list[Json]] | None = None
    query: Callable[[Target], Json] | None = None
    deleted: str | None = None
    asset: str = "document"


def _json(**fields: Any) -> Callable[[Target], Json]:
    return lambda _: fields


def _mail(**fields: Any) -> Callable[[Target], Json]:
    # An address of its own for each request, since mail to one address is bounded.
    return lambda _: {"email": f"{new_id('m')}@example.org", **fields}


def _google(_: Target) -> Json:
    # The Auth emulator takes claims as they are.
    claims = {"sub": new_id("g"), "email": f"{new_id('g')}@example.org", "email_verified": True}
    return {"id_token": json.dumps(claims)}


def _of_project(target: Target) -> Json:
    return {"project_id": target.project.id}


_FILE = {"path": "a.txt", "size": 1, "content_type": "text/plain"}
_CREDENTIAL: Json = {"credential": {"response": {}}}
_NAME = _json(name="New name")


def _assets(path: str, kind: str, content_type: str) -> dict[str, Expected]:
    one = f"{path}/{{asset_id}}"
    new = {"name": "a", "size": 1, "content_type": content_type}
    return {
        f"POST {path}": Expected(CONTRIBUTE, lambda target: {**new, "project_id": target.project.id}),
        f"GET {path}": Expected(READ, query=_of_project),
        f"GET {one}": Expected(READ, asset=kind),
        f"GET {one}/content": Expected(READ, asset=kind),
        # Nobody here uploaded it.
        f"PATCH {one}": Expected(MANAGE, _NAME, asset=kind),
        f"PUT {one}": Expected(MANAGE, _NAME, asset=kind),
        f"DELETE {one}": Expected(MANAGE, asset=kind),
        f"POST {one}/restore": Expected(MANAGE, deleted=kind, asset=kind),
    }


def _recognised(path: str, kind: str) -> dict[str, Expected]:
    one = f"{path}/{{asset_id}}"
    return {
        f"GET {one}/result": Expected(READ, asset=kind),
        f"POST {one}/reprocess": Expected(CONTRIBUTE, asset=kind),
        f"GET {one}/text": Expected(READ, asset=kind),
        f"PUT {one}/text": Expected(READ, _json(text="New."), asset=kind),
        f"PATCH {one}/text": Expected(READ, _json(text="New."), asset=kind),
        f"GET {one}/labels": Expected(READ, asset=kind),
        f"PUT {one}/labels": Expected(READ, _json(annotations=[]), asset=kind),
        f"GET {one}/revisions": Expected(READ, asset=kind),
        f"GET {one}/revisions/{{number}}": Expected(NO_REVISION, asset=kind),
        f"POST {one}/revisions/{{number}}/restore": Expected(NO_REVISION, asset=kind),
    }


EXPECTED: dict[str, Expected] = {
    # --- auth
    "POST /api/auth/register": Expected(ANYBODY, _mail(password="long enough", name="N", company_name="C")),
    "POST /api/auth/resend-verification": Expected(ANYBODY, _mail()),
    "POST /api/auth/verify-email": Expected(ANYBODY, _json(token="none")),
    "POST /api/auth/password-reset": Expected(ANYBODY, _mail()),
    "POST /api/auth/password-reset/confirm": Expected(ANYBODY, _json(token="none", password="long enough")),
    "GET /api/auth/verify-email": Expected(ANYBODY),
    "GET /api/auth/password-reset": Expected(ANYBODY),
    "GET /api/auth/invitation": Expected(ANYBODY),
    "POST /api/auth/login": Expected(ANYBODY, _mail(password="wrong password")),
    "POST /api/auth/google": Expected(ANYBODY, _json(id_token="none")),
    "POST /api/auth/refresh": Expected(ANYBODY, _json(refresh_token="none")),
    "POST /api/auth/passkeys/login": Expected(ANYBODY),
    "POST /api/auth/passkeys/login/verify": Expected(ANYBODY, _json(**_CREDENTIAL)),
    "POST /api/auth/google/link": Expected(SIGNED_IN, _google),
    "GET /api/auth/me": Expected(SIGNED_IN),
    "PATCH /api/auth/me": Expected(SIGNED_IN, _NAME),
    "POST /api/auth/passkeys/register": Expected(SIGNED_IN),
    "POST /api/auth/passkeys/register/verify": Expected(SIGNED_IN, _json(**_CREDENTIAL)),
    "GET /api/auth/passkeys": Expected(SIGNED_IN),
    "PATCH /api/auth/passkeys/{passkey_id}": Expected(OWN, _NAME),
    "DELETE /api/auth/passkeys/{passkey_id}": Expected(OWN),
    # --- companies and users
    "GET /api/companies": Expected(SIGNED_IN),
    "POST /api/companies": Expected(
        SUPER_ADMIN, lambda _: {"name": "C", "admin_email": f"{new_id('m')}@example.org", "admin_name": "N"}
    ),
    "GET /api/companies/{company_id}": Expected(COMPANY_READ),
    "PATCH /api/companies/{company_id}": Expected(COMPANY_ADMIN, _NAME),
    "GET /api/users": Expected(SIGNED_IN),
    "POST /api/users": Expected(
        COMPANY_ADMIN,
        lambda target: {"email": f"{new_id('m')}@example.org", "name": "N", "company_id": target.project.company_id},
    ),
    "GET /api/users/{user_id}": Expected(COMPANY_READ),
    "PATCH /api/users/{user_id}": Expected(COMPANY_ADMIN, _NAME),
    "POST /api/users/{user_id}/suspend": Expected(COMPANY_ADMIN),
    "DELETE /api/users/{user_id}": Expected(COMPANY_ADMIN),
    "POST /api/users/{user_id}/restore": Expected(COMPANY_ADMIN, deleted="user"),
    # --- admin
    "GET /api/admin/users": Expected(SUPER_ADMIN),
    "GET /api/admin/companies": Expected(SUPER_ADMIN),
    "GET /api/admin/audit": Expected(SUPER_ADMIN),
    "GET /api/admin/audit.csv": Expected(SUPER_ADMIN, query=lambda target: {"target_id": target.user.id}),
    "GET /api/admin/dead-letters": Expected(ANY_ADMIN),
    "POST /api/admin/dead-letters/{dead_letter_id}/replay": Expected(Rule(_ADMINS)),
    # --- projects, members, invitations
    "POST /api/projects": Expected(
        PROJECT_CREATE, lambda target: {"name": "P", "company_id": target.project.company_id}
    ),
    "GET /api/projects": Expected(SIGNED_IN),
    "GET /api/projects/{project_id}": Expected(READ),
    "PATCH /api/projects/{project_id}": Expected(MANAGE, _NAME),
    "PUT /api/projects/{project_id}": Expected(MANAGE, _NAME),
    "DELETE /api/projects/{project_id}": Expected(MANAGE),
    "POST /api/projects/{project_id}/restore": Expected(MANAGE, deleted="project"),
    "POST /api/projects/{project_id}/invite": Expected(MANAGE, _mail()),
    "GET /api/projects/{project_id}/invitations": Expected(MANAGE),
    "DELETE /api/projects/{project_id}/invitations/{invitation_id}": Expected(MANAGE),
    "POST /api/projects/invitations/preview": Expected(ANYBODY, _json(token="none")),
    "POST /api/projects/invitations/accept": Expected(OWN, _json(token="none")),
    "GET /api/projects/invitations/{token}": Expected(ANYBODY),
    "POST /api/projects/invitations/{token}/accept": Expected(OWN),
    "GET /api/projects/{project_id}/members": Expected(READ),
    "PATCH /api/projects/{project_id}/members/{user_id}": Expected(MANAGE, _json(role="reviewer")),
    "DELETE /api/projects/{project_id}/members/{user_id}": Expected(MANAGE),
    # --- cycles, sessions, uploads
    "POST /api/cycles": Expected(CONTRIBUTE, lambda target: {"name": "C", "project_id": target.project.id}),
    "GET /api/cycles": Expected(READ, query=_of_project),
    "GET /api/cycles/{cycle_id}": Expected(READ),
    "PATCH /api/cycles/{cycle_id}": Expected(CONTRIBUTE, _NAME),
    "PUT /api/cycles/{cycle_id}": Expected(CONTRIBUTE, _NAME),
    "DELETE /api/cycles/{cycle_id}": Expected(CONTRIBUTE),
    "POST /api/cycles/{cycle_id}/restore": Expected(CONTRIBUTE, deleted="cycle"),
    "POST /api/sessions": Expected(CONTRIBUTE, lambda target: {"name": "S", "project_id": target.project.id}),
    "GET /api/sessions": Expected(READ, query=_of_project),
    "GET /api/sessions/stats": Expected(READ, query=_of_project),
    "GET /api/sessions/{session_id}": Expected(READ),
    "PATCH /api/sessions/{session_id}": Expected(CONTRIBUTE, _NAME),
    "PUT /api/sessions/{session_id}": Expected(CONTRIBUTE, _NAME),
    "DELETE /api/sessions/{session_id}": Expected(CONTRIBUTE),
    "POST /api/sessions/{session_id}/restore": Expected(CONTRIBUTE, deleted="session"),
    "POST /api/uploads/start": Expected(CONTRIBUTE, lambda target: {"session_id": target.session.id, "files": [_FILE]}),
    "POST /api/uploads/{job_id}/files": Expected(CONTRIBUTE, _json(files=[_FILE])),
    "POST /api/uploads/{job_id}/urls": Expected(CONTRIBUTE, lambda target: {"asset_ids": [target.document.id]}),
    "POST /api/uploads/{job_id}/cancel": Expected(CONTRIBUTE),
    "GET /api/uploads/status/{job_id}": Expected(READ),
    # --- documents, voice and plain files
    **_assets("/api/documents", "document", "image/png"),
    **_assets("/api/voice", "voice", "audio/wav"),
    **_assets("/api/files", "file", "text/plain"),
    **_recognised("/api/documents", "document"),
    **_recognised("/api/voice", "voice"),
    # --- review
    "POST /api/projects/{project_id}/review": Expected(
        CONTRIBUTE, lambda target: {"document_ids": [target.document.id]}
    ),
    "GET /api/review": Expected(READ, query=_of_project),
    "POST /api/review/take": Expected(REVIEW, _of_project),
    "POST /api/review/decisions": Expected(
        SIGNED_IN, lambda target: {"decisions": [{"document_id": target.document.id, "decision": "approve"}]}
    ),
    "GET /api/review/{document_id}": Expected(READ),
    "PATCH /api/review/{document_id}": Expected(REVIEW, _json(decision="approve")),
    "POST /api/review/{document_id}/take": Expected(REVIEW),
    "DELETE /api/review/{document_id}/take": Expected(REVIEW),
    "POST /api/review/{document_id}/send-back": Expected(REVIEW, _json(comment="Look again.")),
    "POST /api/review/{document_id}/undo": Expected(REVIEW),
    "GET /api/review/{document_id}/history": Expected(READ),
    # --- labels
    "GET /api/labels/{project_id}": Expected(READ),
    "PUT /api/labels/{project_id}": Expected(MANAGE, _json(fields=[])),
    "GET /api/labels/{project_id}/label-studio/config": Expected(READ),
    "GET /api/labels/{project_id}/label-studio/tasks": Expected(READ),
    "POST /api/labels/{project_id}/label-studio/tasks": Expected(
        READ, lambda target: [{"data": {"document_id": target.document.id}}]
    ),
    # --- analytics, exports, webhooks
    "GET /api/analytics/summary": Expected(READ, query=_of_project),
    "GET /api/analytics/user/{user_id}": Expected(MANAGE, query=_of_project),
    "POST /api/exports": Expected(READ, lambda target: {"project_id": target.project.id, "format": "jsonl"}),
    "GET /api/exports": Expected(READ, query=_of_project),
    "GET /api/exports/{export_id}": Expected(READ),
    "GET /api/exports/{export_id}/files": Expected(READ),
    "POST /api/exports/{export_id}/cancel": Expected(READ),
    "POST /api/webhooks": Expected(
        MANAGE,
        lambda target: {"project_id": target.project.id, "url": "http://127.0.0.1:9/", "events": ["export.ready"]},
    ),
    "GET /api/webhooks": Expected(MANAGE, query=_of_project),
    "GET /api/webhooks/{webhook_id}": Expected(MANAGE),
    "PATCH /api/webhooks/{webhook_id}": Expected(MANAGE, _json(description="New")),
    "DELETE /api/webhooks/{webhook_id}": Expected(MANAGE),
    "POST /api/webhooks/{webhook_id}/rotate-secret": Expected(MANAGE),
    "GET /api/webhooks/{webhook_id}/deliveries": Expected(MANAGE),
    "POST /api/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver": Expected(MANAGE),
    # --- health and reference
    "GET /health": Expected(ANYBODY),
    "GET /health/ready": Expected(ANYBODY),
    "GET /openapi.json": Expected(ANYBODY),
    "GET /docs": Expected(ANYBODY),
    "GET /docs/start.js": Expected(ANYBODY),
    "GET /docs/errors": Expected(ANYBODY),
    "GET /docs/assets/{name}": Expected(ANYBODY),
    "GET /redoc": Expected(ANYBODY),
    # --- what ends a sign-in or a company comes last: it would change what the others find
    "POST /api/companies/{company_id}/suspend": Expected(COMPANY_SUPER_ADMIN),
    "POST /api/companies/{company_id}/restore": Expected(COMPANY_SUPER_ADMIN),
    "POST /api/auth/logout": Expected(SIGNED_IN),
}


def all_routes() -> Iterator[str]:
    """Method and path of every route that a client can call, out of the apps themselves."""
    for function in functions():
        if function.kind is Kind.HTTP:
            importlib.import_module(f"functions.http.{function.name}.main")
    for app in apps.values():
        yield from _walk(app.routes)


def _walk(routes: Iterable[BaseRoute]) -> Iterator[str]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield from (f"{method} {route.path}" for method in route.methods or ())
        else:
            # FastAPI keeps an included router as it is; anything else would be a door that nobody looked at.
            yield from _walk(vars(route)["original_router"].routes)
