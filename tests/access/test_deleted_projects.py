"""A deleted project hides everything below it from everybody, and a restored one shows it again."""

from collections.abc import AsyncIterator

import pytest

from shared.services import tokens
from shared.store import firestore, invitations
from tests.access.asking import request
from tests.access.routes import CONTRIBUTE, EXPECTED, MANAGE, NO_REVISION, READ, REVIEW
from tests.access.test_matrix import GRANTED
from tests.access.world import Target, Who, World, world
from tests.conftest import Cloud

pytestmark = pytest.mark.crowd

BELOW = [
    route
    for route, expected in EXPECTED.items()
    if expected.rule in (READ, CONTRIBUTE, REVIEW, MANAGE, NO_REVISION) and expected.deleted != "project"
]
"""Every route to a project or to something in one, but for the one that restores it."""
READING = [route for route in BELOW if route.startswith("GET") and EXPECTED[route].rule is not NO_REVISION]
PEOPLE = (Who.SUPER_ADMIN, Who.COMPANY_ADMIN, Who.PROJECT_ADMIN, Who.CONTRIBUTOR, Who.REVIEWER, Who.GUEST)


@pytest.fixture(scope="module")
async def everybody(cloud: Cloud) -> AsyncIterator[World]:
    async with world(cloud) as made:
        yield made


async def test_below_a_deleted_project_is_nothing_and_below_a_restored_one_is_everything(everybody: World) -> None:
    target = await everybody.target()
    path = f"/api/projects/{target.project.id}"
    token = await _invited(target)
    manager = everybody.http[Who.PROJECT_ADMIN]
    seen = {route: await _status(everybody, Who.COMPANY_ADMIN, route, target) for route in READING}
    assert set(seen.values()) <= GRANTED
    preview = f"/api/projects/invitations/{token}"
    assert (await manager.get(preview)).status_code == 200

    assert (await manager.delete(path)).status_code == 204

    for who in PEOPLE:
        answers = {route: await _status(everybody, who, route, target) for route in BELOW}
        assert {route: status for route, status in answers.items() if status != 404} == {}, who
    assert (await manager.get(preview)).status_code == 404
    assert (await everybody.http[Who.GUEST].post(f"{preview}/accept")).status_code == 404

    assert (await manager.post(f"{path}/restore")).status_code == 200

    assert {route: await _status(everybody, Who.COMPANY_ADMIN, route, target) for route in READING} == seen
    assert (await manager.get(preview)).status_code == 200


async def _status(everybody: World, who: Who, route: str, target: Target) -> int:
    return (await request(route, target).send(everybody.http[who])).status_code


async def _invited(target: Target) -> str:
    """The token of the project's invitation, as its mail would hold it."""
    found = await invitations.get(target.invitation.id)
    assert found is not None
    token = f"token-of-{found.id}"
    await firestore.commit(invitations.change(found, {"token_hash": tokens.hashed(token)}))
    return token
