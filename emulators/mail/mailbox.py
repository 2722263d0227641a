"""The messages that have arrived, newest first, in memory."""

import re
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from functools import cached_property
from secrets import token_hex

CAPACITY = 500
"""Messages kept; the oldest make way."""

_LINK = re.compile(r"https?://[^\s\"'<>]+[^\s\"'<>.,;:!?)\]]")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Message:
    """One message as it arrived. `recipients` are those of the envelope, so that a blind copy shows."""

    id: str
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @cached_property
    def parsed(self) -> EmailMessage:
        """The message by its parts; a malformed one as far as it can be understood."""
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def subject(self) -> str:
        """Decoded subject, empty without one."""
        return str(self.parsed.get("Subject", ""))

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Decoded headers in their order; a name may come more than once."""
        return [(name, str(value)) for name, value in self.parsed.items()]

    @property
    def text(self) -> str | None:
        """The plain text with line ends as in Python, None without one."""
        return self._body("plain")

    @property
    def html(self) -> str | None:
        """The HTML with line ends as in Python, None without one."""
        return self._body("html")

    @property
    def links(self) -> list[str]:
        """Addresses in the text, or in the HTML of a message without text, each once, in their order."""
        return list(dict.fromkeys(_LINK.findall(self.text or self.html or "")))

    @property
    def attachments(self) -> list[Attachment]:
        """Files that came with the message."""
        return [
            Attachment(part.get_filename() or "unnamed", part.get_content_type(), _bytes(part))
            for part in self.parsed.iter_attachments()
        ]

    def _body(self, kind: str) -> str | None:
        part = self.parsed.get_body((kind,))
        if part is None:
            return None
        try:
            content = str(part.get_content())
        except LookupError:  # a character set that does not exist
            content = _bytes(part).decode(errors="replace")
        return content.replace("\r\n", "\n")


class Mailbox:
    """What has arrived, and how many of the next messages are refused."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.refuse = 0
        self._messages: deque[Message] = deque(maxlen=capacity)

    def add(self, sender: str, recipients: list[str], raw: bytes) -> Message:
        """Takes a message in."""
        message = Message(token_hex(8), datetime.now(UTC), sender, tuple(recipients), raw)
        self._messages.appendleft(message)
        return message

    def messages(self, to: str | None = None) -> list[Message]:
        """All messages, or those to one address, newest first."""
        if to is None:
            return list(self._messages)
        address = to.casefold()
        return [message for message in self._messages if address in map(str.casefold, message.recipients)]

    def message(self, message_id: str) -> Message | None:
        """The message with that id."""
        return next((message for message in self._messages if message.id == message_id), None)

    def clear(self) -> None:
        """Throws all messages away."""
        self._messages.clear()


def _bytes(part: MIMEPart) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else part.as_bytes()
