"""A project with a contributor and two reviewers, and recognised documents in it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from shared.models.assets import Asset
from shared.models.identity import ProjectRole, Role
from shared.store import assets, firestore, projects
from tests.conftest import Cloud
from tests.functions.http.walking import made
from tests.people import Person, found_company, join
from tests.recognised import recognised


@dataclass(frozen=True)
class Desk:
    """A project, who manages it, who collects for it, and who reviews."""

    project_id: str
    company_id: str
    admin: Person
    contributor: Person
    one: Person
    other: Person

    async def documents(self, *confidences: float | None, **fields: Any) -> list[str]:
        """Ids of new recognised documents of the contributor, with these confidences."""
        found = [self._document(confidence, fields) for confidence in confidences]
        for start in range(0, len(found), firestore.COMMIT_LIMIT):
            some = found[start : start + firestore.COMMIT_LIMIT]
            await firestore.commit(*(assets.create(asset) for asset in some))
        return [asset.id for asset in found]

    def _document(self, confidence: float | None, fields: dict[str, Any]) -> Asset:
        project = {"id": self.project_id, "company_id": self.company_id}
        said = {"text": "Dear Sir", "excerpt": "Dear Sir", "confidence": confidence, **fields}
        return recognised(project, self.contributor.user.id, **said)

    async def submit(self, *document_ids: str, by: Person | None = None, **more: Any) -> httpx.Response:
        """Submits documents, as the contributor unless it is said otherwise."""
        http = (by or self.contributor).http
        body = {"document_ids": list(document_ids), **more}
        return await http.post(f"/api/projects/{self.project_id}/review", json=body)

    async def submitted(self, *confidences: float | None, **fields: Any) -> list[str]:
        """Ids of new documents that are submitted."""
        document_ids = await self.documents(*confidences, **fields)
        answer = await self.submit(*document_ids)
        assert answer.status_code == 200, answer.text
        return document_ids

    async def queue(self, **asked: Any) -> list[str]:
        """Ids of the queue's first page."""
        params = {"project_id": self.project_id, **asked}
        answer = await self.one.http.get("/api/review", params=params)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    async def take(self, by: Person, **asked: Any) -> list[str]:
        """Ids of what somebody takes."""
        answer = await by.http.post("/api/review/take", json={"project_id": self.project_id, **asked})
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]


async def decided(by: Person, document_id: str, decision: str = "approve", **said: Any) -> httpx.Response:
    """The answer to a decision."""
    return await by.http.patch(f"/api/review/{document_id}", json={"decision": decision, **said})


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an error."""
    return answer.status_code, answer.json()["error"]["code"]


@pytest.fixture
async def desk(cloud: Cloud) -> AsyncIterator[Desk]:
    """A new company with its people and a project."""
    company = await found_company()
    admin, contributor, one, other = people = [
        await join(cloud, company, role) for role in (Role.ADMIN, Role.USER, Role.USER, Role.USER)
    ]
    project = await made(admin.http, "/api/projects", name="Letters", default_role="reviewer")
    await _become(project["id"], contributor, ProjectRole.CONTRIBUTOR)
    yield Desk(project["id"], company.id, admin, contributor, one, other)
    for person in people:
        await person.http.aclose()


async def _become(project_id: str, person: Person, role: ProjectRole) -> None:
    project = await projects.get(project_id)
    assert project is not None
    members = {**project.members, person.user.id: role}
    await firestore.commit(projects.change(project, {"members": members, "member_ids": list(members)}))
