"""The mail sink: what goes in by SMTP comes out over HTTP, and can do no harm on the way."""

import asyncio
import smtplib
from collections.abc import AsyncIterator
from email.message import EmailMessage

import httpx
import pytest

from emulators.mail.mailbox import CAPACITY, Mailbox
from emulators.mail.server import Options, Ports, running
from tests import loopback


@pytest.fixture
async def sink() -> AsyncIterator[Ports]:
    """A running mail sink."""
    async with running(Options(smtp_port=0, http_port=0)) as ports:
        yield ports


@pytest.fixture
async def view(sink: Ports) -> AsyncIterator[httpx.AsyncClient]:
    """Its HTTP side."""
    async with loopback.client(f"http://127.0.0.1:{sink.http}") as client:
        yield client


def composed(to: str = "ann@example.com", subject: str = "Verify your address", **parts: str) -> EmailMessage:
    """A message with the given text and html."""
    message = EmailMessage()
    message["From"] = "Alta <no-reply@localhost>"
    message["To"] = to
    message["Subject"] = subject
    if "text" in parts:
        message.set_content(parts["text"])
    if "html" in parts:
        (message.add_alternative if "text" in parts else message.set_content)(parts["html"], subtype="html")
    return message


async def send(sink: Ports, message: EmailMessage | bytes, to: str = "ann@example.com") -> None:
    """Sends with the standard library's client, as the platform does."""

    def work() -> None:
        with smtplib.SMTP("127.0.0.1", sink.smtp, timeout=10) as server:
            if isinstance(message, EmailMessage):
                server.send_message(message)
            else:
                server.sendmail("no-reply@localhost", [to], message)

    await asyncio.to_thread(work)


async def only(view: httpx.AsyncClient) -> dict[str, object]:
    """The only message there is, whole."""
    [summary] = (await view.get("/messages")).json()["items"]
    found: dict[str, object] = (await view.get(f"/messages/{summary['id']}")).json()
    return found


async def test_a_message_is_shown_whole(sink: Ports, view: httpx.AsyncClient) -> None:
    link = "http://127.0.0.1:8000/verify?token=a_b-c&x=1"
    await send(sink, composed(text=f"Hello Ann,\n\nopen {link}.\n", html=f'<p>Open <a href="{link}">this</a>.</p>'))

    message = await only(view)

    assert message["from"] == "no-reply@localhost"
    assert message["to"] == ["ann@example.com"]
    assert message["subject"] == "Verify your address"
    assert message["text"] == f"Hello Ann,\n\nopen {link}.\n"
    assert message["html"] == f'<p>Open <a href="{link}">this</a>.</p>\n'
    assert message["links"] == [link]
    assert ["Subject", "Verify your address"] in message["headers"]  # type: ignore[operator]  # JSON


async def test_messages_are_listed_newest_first_and_by_recipient(sink: Ports, view: httpx.AsyncClient) -> None:
    await send(sink, composed(subject="first", text="1"))
    await send(sink, composed(to="bob@example.com", subject="second", text="2"))
    await send(sink, composed(to="Ann@Example.com", subject="third", text="3"))

    every = (await view.get("/messages")).json()["items"]
    to_ann = (await view.get("/messages", params={"to": "ann@example.com"})).json()["items"]

    assert [message["subject"] for message in every] == ["third", "second", "first"]
    assert [message["subject"] for message in to_ann] == ["third", "first"]


async def test_a_blind_copy_is_found_though_no_header_names_it(sink: Ports, view: httpx.AsyncClient) -> None:
    message = composed(text="secret")
    message["Bcc"] = "carol@example.com"
    await send(sink, message)

    [found] = (await view.get("/messages", params={"to": "carol@example.com"})).json()["items"]

    assert found["to"] == ["ann@example.com", "carol@example.com"]
    assert "carol" not in (await view.get(f"/messages/{found['id']}/raw")).text


async def test_non_ascii_text_subjects_and_addresses_arrive_as_they_were(sink: Ports, view: httpx.AsyncClient) -> None:
    await send(sink, composed(to="zoë@example.com", subject="Grüße 👋", text="Schöne Grüße\n"))

    message = await only(view)

    assert (message["subject"], message["text"], message["to"]) == ("Grüße 👋", "Schöne Grüße\n", ["zoë@example.com"])


async def test_html_is_served_so_that_it_can_do_no_harm_and_its_links_open_elsewhere(
    sink: Ports, view: httpx.AsyncClient
) -> None:
    await send(sink, composed(html="<script>alert(1)</script><a href='http://127.0.0.1:8000/'>go</a>"))

    answer = await view.get(f"/messages/{(await only(view))['id']}/html")

    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none';")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert '<base target="_blank">' in answer.text
    assert "<a href='http://127.0.0.1:8000/'>go</a>" in answer.text


async def test_a_message_without_html_has_no_html_page(sink: Ports, view: httpx.AsyncClient) -> None:
    await send(sink, composed(text="plain"))

    message = await only(view)

    assert message["html"] is None
    assert (await view.get(f"/messages/{message['id']}/html")).status_code == 404


async def test_raw_is_what_arrived_and_is_never_read_as_html(sink: Ports, view: httpx.AsyncClient) -> None:
    raw = b"Subject: odd\r\nX-Odd: <script>\r\n\r\nline\r\n"
    await send(sink, raw)

    answer = await view.get(f"/messages/{(await only(view))['id']}/raw")

    assert answer.content == raw
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_an_attachment_can_be_fetched(sink: Ports, view: httpx.AsyncClient) -> None:
    message = composed(text="see file")
    message.add_attachment(b"a,b\n1,2\n", maintype="text", subtype="csv", filename="bericht ü.csv")
    await send(sink, message)

    found = await only(view)
    answer = await view.get(f"/messages/{found['id']}/attachments/0")

    assert found["attachments"] == [{"name": "bericht ü.csv", "content_type": "text/csv", "size": 8}]
    assert answer.content == b"a,b\n1,2\n"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''bericht%20%C3%BC.csv"
    assert (await view.get(f"/messages/{found['id']}/attachments/1")).status_code == 404


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no headers at all",
        b"Content-Type: text/plain; charset=no-such-set\r\n\r\nhello \xff\r\n",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nunfinished",
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n",
        b"Subject: =?utf-8?q?broken\r\nTo: <<<>\r\nContent-Type: ;;;\r\n\r\nx\r\n",
    ],
)
async def test_a_malformed_message_is_still_shown(sink: Ports, view: httpx.AsyncClient, raw: bytes) -> None:
    await send(sink, raw)

    message = await only(view)

    assert (await view.get(f"/messages/{message['id']}/raw")).status_code == 200


async def test_all_messages_are_deleted_together(sink: Ports, view: httpx.AsyncClient) -> None:
    await send(sink, composed(text="1"))
    message = await only(view)

    assert (await view.delete("/messages")).status_code == 204

    assert (await view.get("/messages")).json() == {"items": []}
    assert (await view.get(f"/messages/{message['id']}")).status_code == 404


async def test_the_next_messages_are_refused_for_now_on_demand(sink: Ports, view: httpx.AsyncClient) -> None:
    await view.post("/_alta/faults", json={"refuse": 2})

    for _ in range(2):
        with pytest.raises(smtplib.SMTPDataError) as refusal:
            await send(sink, composed(text="again"))
        assert refusal.value.smtp_code == 451
    await send(sink, composed(text="at last"))

    assert (await only(view))["text"] == "at last\n"


async def test_an_unknown_fault_is_refused(view: httpx.AsyncClient) -> None:
    assert (await view.post("/_alta/faults", json={"refuse": -1})).status_code == 400
    assert (await view.post("/_alta/faults", json={"explode": 1})).status_code == 400
    assert (await view.get("/_alta/faults")).json() == {"refuse": 0}


async def test_a_running_sink_says_that_it_is_ready_and_has_a_page(view: httpx.AsyncClient) -> None:
    assert (await view.get("/_alta/ready")).status_code == 200
    page = await view.get("/")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    for file in ("/static/page.css", "/static/page.js"):
        assert file in page.text
        assert (await view.get(file)).status_code == 200


def test_only_the_newest_messages_are_kept() -> None:
    mailbox = Mailbox()
    for number in range(CAPACITY + 3):
        mailbox.add("a@example.com", ["b@example.com"], f"Subject: {number}\r\n\r\n".encode())

    kept = mailbox.messages()

    assert len(kept) == CAPACITY == 500
    assert (kept[0].subject, kept[-1].subject) == ("502", "3")


def test_links_end_where_the_sentence_goes_on() -> None:
    text = "Go to https://a.example/x?y=(1), or <http://b.example/>. Again: https://a.example/x?y=(1), see."
    message = Mailbox().add("", [], f"\r\n{text}".encode())

    assert message.links == ["https://a.example/x?y=(1", "http://b.example/"]
