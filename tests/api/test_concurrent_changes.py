"""Many at once change one record, each saying which version it saw: one wins, nobody's change is lost in silence."""

import asyncio

import httpx

from tests.conftest import Cloud
from tests.people import found_company, join

AT_ONCE = 200
ROUNDS = 2


async def test_of_200_changes_of_one_version_exactly_one_wins(cloud: Cloud) -> None:
    person = await join(cloud, await found_company())
    made = await person.http.post("/api/projects", json={"name": "Contended"})
    path, etag = f"/api/projects/{made.json()['id']}", made.headers["etag"]

    for turn in range(ROUNDS):

        async def change(number: int, etag: str = etag, turn: int = turn) -> httpx.Response:
            body = {"name": f"{turn}.{number}"}
            return await person.http.patch(path, json=body, headers={"If-Match": etag}, timeout=120)

        answers = await asyncio.gather(*map(change, range(AT_ONCE)))

        (winner,) = [answer for answer in answers if answer.status_code == 200]
        refused = [answer.json()["error"]["code"] for answer in answers if answer.status_code == 412]
        assert refused == ["precondition_failed"] * (AT_ONCE - 1)
        found = await person.http.get(path)
        assert found.json()["name"] == winner.json()["name"]
        etag = found.headers["etag"]
        assert etag == winner.headers["etag"]
    await person.http.aclose()
