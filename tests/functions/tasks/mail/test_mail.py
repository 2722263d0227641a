"""The mail function: letters written and sent."""

import httpx

from shared.models.identity import Role
from tests.conftest import Cloud
from tests.letters import letter_to
from tests.people import found_company, join


async def _deliver(cloud: Cloud, **letter: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=cloud.ports.url("internal"), trust_env=False, timeout=60) as queue:
        return await queue.post("/mail", json=letter)


async def test_a_letter_is_sent_as_text_and_html_that_say_the_same(cloud: Cloud) -> None:
    person = await join(cloud, await found_company(), Role.USER)
    await person.http.patch("/api/auth/me", json={"name": "Grace <b>Hopper</b>"})
    assert (await _deliver(cloud, kind="password_reset", to=person.user.email)).status_code == 204
    letter = await letter_to(cloud, person.user.email, "Choose a new password")
    assert "Grace <b>Hopper</b>" in letter.text
    assert "Grace &lt;b&gt;Hopper&lt;/b&gt;" in letter.html
    assert letter.link in letter.html
    assert letter.link.startswith(cloud.url)
    await person.http.aclose()


async def test_a_letter_without_a_reason_any_more_is_dropped(cloud: Cloud) -> None:
    person = await join(cloud, await found_company(), Role.USER)
    for letter in (
        {"kind": "verification", "to": person.user.email},
        {"kind": "password_reset", "to": "nobody@example.org"},
        {"kind": "invitation", "to": "nobody@example.org", "invitation_id": "inv_none"},
    ):
        assert (await _deliver(cloud, **letter)).status_code == 204
    async with httpx.AsyncClient(base_url=cloud.ports.url("mail"), trust_env=False) as mail:
        assert (await mail.get("/messages", params={"to": person.user.email})).json()["items"] == []
    await person.http.aclose()


async def test_a_mail_server_that_asks_to_try_later_is_tried_later(cloud: Cloud) -> None:
    person = await join(cloud, await found_company(), Role.USER)
    async with httpx.AsyncClient(base_url=cloud.ports.url("mail"), trust_env=False) as mail:
        await mail.post("/_alta/faults", json={"refuse": 1})
    first = await _deliver(cloud, kind="password_reset", to=person.user.email)
    assert (first.status_code, first.json()["error"]["code"]) == (503, "unavailable")
    assert (await _deliver(cloud, kind="password_reset", to=person.user.email)).status_code == 204
    assert (await letter_to(cloud, person.user.email, "Choose")).link
    await person.http.aclose()


async def test_a_task_that_is_no_letter_is_acknowledged(cloud: Cloud) -> None:
    assert (await _deliver(cloud, kind="poem", to="nobody@example.org")).status_code == 204
