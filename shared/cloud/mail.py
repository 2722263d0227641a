"""Sending mail over SMTP. The standard library's client blocks, so it works in a thread."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr

from shared import errors
from shared.models.mail import Message
from shared.settings import settings

TIMEOUT = 20.0
"""Seconds that one step of the conversation may take."""
_PERMANENT = 500
"""SMTP replies from here on say: never (RFC 5321, 4.2.1)."""


class Undeliverable(Exception):
    """The mail server will never take this message; trying again is no use."""


async def send(message: Message) -> None:
    """Hands a message to the mail server.

    Raises Undeliverable when it refuses the address or the message for good, Unavailable when it may take it later.
    """
    try:
        await asyncio.to_thread(_send, _composed(message))
    except smtplib.SMTPNotSupportedError as error:  # an address beyond ASCII, which this server does not know
        raise Undeliverable(str(error)) from error
    except smtplib.SMTPRecipientsRefused as error:
        code, reason = error.recipients[message.to]
        raise _refusal(code, reason) from error
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPException, OSError) as error:
        raise errors.Unavailable("The mail server does not answer right now.", retry_after=30) from error


def _composed(message: Message) -> EmailMessage:
    composed = EmailMessage()
    composed["From"] = settings().mail_from
    composed["To"] = message.to
    composed["Subject"] = " ".join(message.subject.split())  # what people call things may have lines, a header has not
    composed["Date"] = formatdate()
    composed["Message-ID"] = make_msgid(domain=parseaddr(settings().mail_from)[1].rpartition("@")[2])
    composed["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notice answers it
    composed.set_content(message.text)
    composed.add_alternative(message.html, subtype="html")
    return composed


def _send(message: EmailMessage) -> None:
    with smtplib.SMTP(settings().smtp_host, settings().smtp_port, timeout=TIMEOUT) as server:
        user, password = settings().smtp_user, settings().smtp_password
        if user is not None and password is not None:
            server.starttls(context=ssl.create_default_context())
            server.login(user, password.get_secret_value())
        server.send_message(message)


def _refusal(code: int, reason: bytes | str) -> Exception:
    said = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
    if code >= _PERMANENT:
        return Undeliverable(f"{code} {said}")
    return errors.Unavailable("The mail server asks to try later.", retry_after=30)
