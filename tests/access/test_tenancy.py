"""Companies, people, memberships and calls made at random: nobody ever sees or changes what is another tenant's.

Everything in a project carries the project's marker, so that a leak shows in whatever is answered. Who may see a
project is worked out here anew, from the table of the design, without the code under test.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.models.identity import Company, ProjectRole, Role
from shared.models.records import new_id
from tests.access.asking import request
from tests.access.routes import EXPECTED
from tests.access.world import Target, things
from tests.conftest import Cloud
from tests.people import Person, found_company, join

pytestmark = pytest.mark.crowd

PEOPLE = [(0, Role.ADMIN), (0, Role.USER), (0, Role.USER), (1, Role.ADMIN), (1, Role.USER), (None, Role.USER)]
"""Company and role of each person; without a company: somebody who can only be a guest."""
ROUTES = [route for route in EXPECTED if EXPECTED[route].rule is not None and not route.endswith("/logout")]
ROLES = st.sampled_from([None, *ProjectRole])


@dataclass(frozen=True)
class Layout:
    """A project to be made: whose it is, its default role, and the role of each person in it, if any."""

    company: int
    default_role: ProjectRole | None
    members: tuple[ProjectRole | None, ...]

    def is_seen_by(self, person: int) -> bool:
        """The design: company admin, explicit member, or the default role for people of the company."""
        company, role = PEOPLE[person]
        is_open = role is Role.ADMIN or self.default_role is not None
        return self.members[person] is not None or (company == self.company and is_open)


@dataclass(frozen=True)
class Call:
    """A call to be made: by whom, which route; the ids in the path and those in the body may be of two projects."""

    person: int
    route: str
    path_of: int
    body_of: int


LAYOUTS = st.tuples(*(st.builds(Layout, st.integers(0, 1), ROLES, st.tuples(*(ROLES for _ in PEOPLE))) for _ in "abc"))
CALLS = st.lists(
    st.builds(Call, st.integers(0, len(PEOPLE) - 1), st.sampled_from(ROUTES), st.integers(0, 2), st.integers(0, 2)),
    min_size=10,
    max_size=20,
)


@dataclass(frozen=True)
class Tenants:
    """Two companies and their people, signed in."""

    companies: list[Company]
    people: list[Person]

    async def make(self, layout: Layout) -> Target:
        """The project and what is in it."""
        roles = zip(self.people, layout.members, strict=True)
        members = {person.user.id: role for person, role in roles if role is not None}
        company = self.companies[layout.company]
        return await things(company, members, name=new_id("marker"), default_role=layout.default_role)

    async def call(self, call: Call, made: list[Target]) -> httpx.Response:
        """Makes the call."""
        asked = request(call.route, made[call.path_of], made[call.body_of])
        return await asked.send(self.people[call.person].http)


@pytest.fixture(scope="module")
async def tenants(cloud: Cloud) -> AsyncIterator[Tenants]:
    companies = [await found_company(new_id("marker")) for _ in range(2)]
    people = [await join(cloud, None if company is None else companies[company], role) for company, role in PEOPLE]
    yield Tenants(companies, people)
    for person in people:
        await person.http.aclose()


def _leaks(answer: httpx.Response, target: Target) -> bool:
    # The user of the target belongs to the company, not to the project alone. What was asked for may be repeated.
    asked = str(answer.request.url) + answer.request.content.decode()
    hidden = (target.project, target.cycle, target.session, target.document, target.voice, target.invitation)
    ids = [record.id for record in hidden if record.id not in asked]
    return any(marker in answer.text for marker in (target.project.name, *ids))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(layouts=LAYOUTS, calls=CALLS)
async def test_no_call_shows_or_changes_what_the_caller_does_not_see(
    tenants: Tenants, layouts: tuple[Layout, ...], calls: list[Call]
) -> None:
    made = [await tenants.make(layout) for layout in layouts]
    moved: set[str] = set()
    for call in calls:
        unseen = [made[n] for n, layout in enumerate(layouts) if not layout.is_seen_by(call.person)]
        still = [target for target in unseen if target.project.id not in moved]
        before = [await target.versions() for target in still]
        answer = await tenants.call(call, made)
        # a machine that is too busy may say so; anything else of that kind is a fault
        assert answer.status_code < 500 or answer.status_code == 503, answer.text
        for target in unseen:
            assert not _leaks(answer, target), (call, answer.text)
        company = PEOPLE[call.person][0]
        for number, other in enumerate(tenants.companies):
            assert number == company or other.name not in answer.text, (call, answer.text)
        for target, versions in zip(still, before, strict=True):
            after = await target.versions()
            if target.project.company_id == tenants.people[call.person].user.company_id:
                # an admin of the company may change its users, whatever they see of the project
                after.pop(target.user.id)
                versions.pop(target.user.id)
            assert after == versions, call
        # Who sees a project sets things in motion there that change it long after the answer: a webhook is told again,
        # a session counted, an export built. From then on a change of it says nothing about the call of somebody else.
        moved |= {target.project.id for target in (made[call.path_of], made[call.body_of]) if target not in unseen}
