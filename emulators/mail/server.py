"""The two sides of the mailbox: SMTP in, HTTP out."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiosmtpd.smtp import SMTP, Envelope, Session

from emulators.mail.mailbox import Mailbox
from emulators.mail.view import View
from emulators.serving import serving

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """How to run. A port of 0 takes a free one."""

    host: str = "127.0.0.1"
    smtp_port: int = 1025
    http_port: int = 8025


@dataclass(frozen=True)
class Ports:
    """Where a running mail sink listens."""

    smtp: int
    http: int


class Delivery:
    """What aiosmtpd calls: every sender and recipient is welcome, and every message ends in the mailbox."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name
        """Takes a message in, or refuses it for now (RFC 5321, 4.2.3)."""
        if self._mailbox.refuse:
            self._mailbox.refuse -= 1
            return "451 4.3.0 Refused on demand, try again later"
        message = self._mailbox.add(envelope.mail_from or "", envelope.rcpt_tos, envelope.original_content or b"")
        log.info("%s to %s: %s", message.id, ", ".join(message.recipients), message.subject)
        return f"250 2.0.0 Taken as {message.id}"


@asynccontextmanager
async def running(options: Options) -> AsyncIterator[Ports]:
    """A mail sink inside the running loop, ready to be used. Raises OSError when a port is taken."""
    mailbox = Mailbox()
    delivery = Delivery(mailbox)

    def conversation() -> SMTP:
        return SMTP(delivery, enable_SMTPUTF8=True, hostname="localhost", ident="Alta mail sink")

    server = await asyncio.get_running_loop().create_server(conversation, options.host, options.smtp_port)
    async with server, serving(View(mailbox).app(), options.host, options.http_port) as http_port:
        yield Ports(server.sockets[0].getsockname()[1], http_port)
