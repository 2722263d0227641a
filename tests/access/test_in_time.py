"""What is taken from somebody is gone within 30 s on every instance that runs, whoever took it and wherever."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from emulators import parts
from emulators.ports import free_ports
from emulators.processes import Process
from shared.models.identity import ProjectRole, Role
from shared.services.access import CACHED_SECONDS
from tests.access.world import things
from tests.conftest import Cloud
from tests.emulators.waiting import until
from tests.people import Person, found_company, join

SLACK = 5
"""Seconds for the requests themselves."""


@pytest.fixture(scope="module")
async def elsewhere(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a second instance of every function, in a process of its own, on the same records."""
    gateway, internal = free_ports(2)
    part = parts.gateway(replace(cloud.ports, gateway=gateway, internal=internal), cloud.environment)
    log: Path = tmp_path_factory.mktemp("elsewhere") / "log"
    instance = Process(part, log, say=print, restarted=print)
    await asyncio.to_thread(instance.start)
    try:
        await asyncio.to_thread(instance.wait_until_ready)
        yield f"http://127.0.0.1:{gateway}"
    finally:
        await asyncio.to_thread(instance.stop)


@dataclass(frozen=True)
class Loss:
    """Somebody who loses something: where that shows, and what they are told then."""

    person: Person
    path: str
    status: int

    async def answered(self, address: str = "") -> int:
        """What they are answered there; by the instance on which it was taken from them if no other is named."""
        return (await self.person.http.get(f"{address}{self.path}")).status_code

    def shows(self, address: str) -> Callable[[], Awaitable[bool]]:
        """Whether they have lost it there."""

        async def shows() -> bool:
            return await self.answered(address) == self.status

        return shows


async def _take(http: httpx.AsyncClient, method: str, path: str, **body: str) -> None:
    answer = await http.request(method, path, json=body or None)
    assert answer.status_code in (200, 204), answer.text


async def test_who_is_suspended_demoted_or_removed_is_out_within_thirty_seconds_on_every_instance(
    cloud: Cloud, elsewhere: str
) -> None:
    company, closing = await found_company(), await found_company()
    by, operator = await join(cloud, company, Role.ADMIN), await join(cloud, None, Role.SUPER_ADMIN)
    suspended, deleted, signed_out = [await join(cloud, company, Role.USER) for _ in range(3)]
    demoted = await join(cloud, company, Role.ADMIN)
    of_suspended_company = await join(cloud, closing, Role.ADMIN)
    removed, lowered, guest = [await join(cloud, None, Role.USER) for _ in range(3)]
    members = {person.user.id: ProjectRole.ADMIN for person in (removed, lowered)}
    target = await things(company, members)
    project = f"/api/projects/{target.project.id}"
    closed = await things(closing, {guest.user.id: ProjectRole.CONTRIBUTOR})
    losses = [
        Loss(suspended, "/api/users", 403),
        Loss(deleted, "/api/users", 401),
        Loss(signed_out, "/api/users", 401),
        Loss(of_suspended_company, "/api/users", 403),
        Loss(demoted, f"/api/cycles?project_id={target.project.id}", 404),
        Loss(removed, f"/api/cycles?project_id={target.project.id}", 404),
        Loss(lowered, f"/api/webhooks?project_id={target.project.id}", 403),
        Loss(guest, f"/api/cycles?project_id={closed.project.id}", 404),
    ]
    for address in ("", elsewhere):  # now both instances know them
        assert [await loss.answered(address) for loss in losses] == [200] * len(losses)

    await _take(by.http, "POST", f"/api/users/{suspended.user.id}/suspend")
    await _take(by.http, "DELETE", f"/api/users/{deleted.user.id}")
    await _take(signed_out.http, "POST", "/api/auth/logout")
    await _take(by.http, "PATCH", f"/api/users/{demoted.user.id}", role="user")
    await _take(by.http, "DELETE", f"{project}/members/{removed.user.id}")
    await _take(by.http, "PATCH", f"{project}/members/{lowered.user.id}", role="reviewer")
    await _take(operator.http, "POST", f"/api/companies/{closing.id}/suspend")

    limit = CACHED_SECONDS + SLACK
    await asyncio.gather(
        *(until(loss.shows(address), limit, every=0.5) for loss in losses for address in ("", elsewhere))
    )
    for person in (by, operator, *(loss.person for loss in losses)):
        await person.http.aclose()


async def test_the_instance_that_took_it_needs_no_thirty_seconds(cloud: Cloud) -> None:
    company = await found_company()
    by = await join(cloud, company, Role.ADMIN)
    suspended, demoted = await join(cloud, company, Role.USER), await join(cloud, company, Role.ADMIN)
    removed = await join(cloud, None, Role.USER)
    target = await things(company, {removed.user.id: ProjectRole.CONTRIBUTOR})
    cycles = f"/api/cycles?project_id={target.project.id}"
    losses = [Loss(suspended, "/api/users", 403), Loss(demoted, cycles, 404), Loss(removed, cycles, 404)]
    assert [await loss.answered() for loss in losses] == [200] * len(losses)
    await _take(by.http, "POST", f"/api/users/{suspended.user.id}/suspend")
    await _take(by.http, "PATCH", f"/api/users/{demoted.user.id}", role="user")
    await _take(by.http, "DELETE", f"/api/projects/{target.project.id}/members/{removed.user.id}")
    assert [await loss.answered() for loss in losses] == [loss.status for loss in losses]
    for person in (by, *(loss.person for loss in losses)):
        await person.http.aclose()
