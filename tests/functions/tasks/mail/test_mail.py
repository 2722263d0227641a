"""The mail function: letters written and sent."""

from collections.abc import Iterator

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from emulators.ports import free_ports
from shared.cloud import mail
from shared.errors import Unavailable
from shared.models.identity import Role
from shared.models.mail import Message
from shared.models.records import new_id
from shared.settings import settings
from tests import loopback
from tests.conftest import Cloud
from tests.letters import letter_to
from tests.people import found_company, join


async def _deliver(cloud: Cloud, **letter: str) -> httpx.Response:
    async with loopback.client(cloud.ports.url("internal")) as queue:
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


async def test_a_name_of_several_lines_makes_no_header_of_its_own(cloud: Cloud) -> None:
    admin, address = await join(cloud, await found_company(), Role.ADMIN), f"{new_id('new')}@example.org"
    made = await admin.http.post("/api/projects", json={"name": "Survey\r\nBcc: spy@example.org"})
    path = f"/api/projects/{made.json()['id']}/invite"
    assert (await admin.http.post(path, json={"email": address, "role": "reviewer"})).status_code == 201
    letter = await letter_to(cloud, address, "Invitation to Survey")
    assert letter.subject == "Invitation to Survey Bcc: spy@example.org"
    await admin.http.aclose()


async def test_a_letter_without_a_reason_any_more_is_dropped(cloud: Cloud) -> None:
    person = await join(cloud, await found_company(), Role.USER)
    for letter in (
        {"kind": "verification", "to": person.user.email},
        {"kind": "password_reset", "to": "nobody@example.org"},
        {"kind": "invitation", "to": "nobody@example.org", "invitation_id": "inv_none"},
    ):
        assert (await _deliver(cloud, **letter)).status_code == 204
    async with loopback.client(cloud.ports.url("mail")) as sink:
        assert (await sink.get("/messages", params={"to": person.user.email})).json()["items"] == []
    await person.http.aclose()


async def test_a_mail_server_that_asks_to_try_later_is_tried_later(cloud: Cloud) -> None:
    person = await join(cloud, await found_company(), Role.USER)
    async with loopback.client(cloud.ports.url("mail")) as sink:
        await sink.post("/_alta/faults", json={"refuse": 1})
    first = await _deliver(cloud, kind="password_reset", to=person.user.email)
    assert (first.status_code, first.json()["error"]["code"]) == (503, "unavailable")
    assert (await _deliver(cloud, kind="password_reset", to=person.user.email)).status_code == 204
    assert (await letter_to(cloud, person.user.email, "Choose")).link
    await person.http.aclose()


async def test_a_task_that_is_no_letter_is_acknowledged(cloud: Cloud) -> None:
    assert (await _deliver(cloud, kind="poem", to="nobody@example.org")).status_code == 204


class _Refuses:
    """A mail server that never takes mail to some addresses."""

    async def handle_RCPT(  # noqa: N802  # the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("later"):
            return "450 try again later"
        if address.startswith("never"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture
def refusing(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The platform's mail goes to a server that refuses."""
    controller = Controller(_Refuses(), hostname="127.0.0.1", port=free_ports(1)[0], enable_SMTPUTF8=False)
    controller.start()
    monkeypatch.setenv("SMTP_PORT", str(controller.port))
    settings.cache_clear()
    yield
    settings.cache_clear()
    controller.stop()


async def test_an_address_that_is_refused_for_good_is_given_up_and_one_for_now_is_not(refusing: None) -> None:
    def to(address: str) -> Message:
        return Message(to=address, subject="S", text="T", html="<p>T</p>")

    await mail.send(to("welcome@example.org"))
    for never in ("never@example.org", "jürgen@example.org"):  # this server speaks ASCII
        with pytest.raises(mail.Undeliverable):
            await mail.send(to(never))
    with pytest.raises(Unavailable):
        await mail.send(to("later@example.org"))


async def test_a_mail_server_that_is_away_is_tried_later(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PORT", str(free_ports(1)[0]))
    settings.cache_clear()
    with pytest.raises(Unavailable):
        await mail.send(Message(to="somebody@example.org", subject="S", text="T", html="<p>T</p>"))
    settings.cache_clear()
