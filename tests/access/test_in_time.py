"""What is taken from somebody is gone within 30 s on an instance that runs, whoever took it and wherever."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from shared.models.identity import CompanyRole, ProjectRole, Role
from shared.models.records import now
from shared.services.access import CACHED_SECONDS
from shared.store import companies, firestore, projects, users
from tests.access.world import things
from tests.conftest import Cloud
from tests.emulators.waiting import until
from tests.people import Person, found_company, join

SLACK = 5
"""Seconds for the requests themselves."""


async def _changed(user_id: str, **fields: Any) -> None:
    # Past the instance under test, as another instance would.
    user = await users.get(user_id)
    assert user is not None
    await firestore.commit(users.change(user, fields))


def _answers(person: Person, path: str, status: int) -> Callable[[], Awaitable[bool]]:
    async def answers() -> bool:
        return (await person.http.get(path)).status_code == status

    return answers


async def test_a_suspended_demoted_or_removed_person_is_out_within_thirty_seconds(cloud: Cloud) -> None:
    company, closing = await found_company(), await found_company()
    suspended, deleted = [await join(cloud, company, Role.USER) for _ in range(2)]
    demoted = await join(cloud, company, Role.ADMIN)
    of_suspended_company = await join(cloud, closing, Role.ADMIN)
    removed = await join(cloud, None, Role.USER)
    target = await things(company, {removed.user.id: ProjectRole.CONTRIBUTOR})
    cycles = f"/api/cycles?project_id={target.project.id}"
    expected = [
        (suspended, "/api/users", 403),
        (deleted, "/api/users", 401),
        (of_suspended_company, "/api/users", 403),
        (demoted, cycles, 404),
        (removed, cycles, 404),
    ]
    for person, path, _ in expected:
        assert (await person.http.get(path)).status_code == 200

    await _changed(suspended.user.id, suspended_at=now())
    await _changed(deleted.user.id, deleted_at=now())
    await _changed(demoted.user.id, role=CompanyRole.USER)
    shut = await companies.get(closing.id)
    assert shut is not None
    await firestore.commit(companies.change(shut, {"suspended_at": now()}))
    project = await projects.get(target.project.id)
    assert project is not None
    await firestore.commit(projects.change(project, {"members": {}, "member_ids": []}))

    await asyncio.gather(
        *(until(_answers(person, path, status), CACHED_SECONDS + SLACK, every=0.5) for person, path, status in expected)
    )
    for person, _, _ in expected:
        await person.http.aclose()
