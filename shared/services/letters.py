"""The words of the platform's mail: text and HTML of each letter."""

from dataclasses import dataclass
from html import escape

from shared.models.mail import Message

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{subject}</title></head>
<body style="margin:0;background:#f4f5f7;font-family:system-ui,sans-serif;color:#1c2230">
<div style="max-width:32rem;margin:2rem auto;padding:2rem;background:#fff;border-radius:8px">
<h1 style="font-size:1.25rem;margin-top:0">{subject}</h1>
{paragraphs}{button}
</div></body></html>
"""
_BUTTON = """<p><a href="{link}" style="display:inline-block;padding:.75rem 1.25rem;background:#1d4ed8;color:#fff;\
text-decoration:none;border-radius:6px">{label}</a></p>
<p style="font-size:.85rem;color:#5b6474">Or open this address: <br><a href="{link}">{link}</a></p>
"""


@dataclass(frozen=True)
class Letter:
    """A letter's words. `label` is what its button says; without a link there is none."""

    subject: str
    paragraphs: tuple[str, ...]
    label: str = ""
    link: str = ""

    def to(self, address: str) -> Message:
        """The letter as a message, in text and in HTML."""
        return Message(to=address, subject=self.subject, text=self._text(), html=self._html())

    def _text(self) -> str:
        return "\n\n".join((*self.paragraphs, self.link) if self.link else self.paragraphs) + "\n"

    def _html(self) -> str:
        paragraphs = "".join(f"<p>{escape(paragraph)}</p>\n" for paragraph in self.paragraphs)
        button = _BUTTON.format(link=escape(self.link), label=escape(self.label)) if self.link else ""
        return _PAGE.format(subject=escape(self.subject), paragraphs=paragraphs, button=button)


def verification(name: str, link: str) -> Letter:
    """To somebody who registered."""
    return Letter(
        "Confirm your e-mail address",
        (
            f"Hello {name},",
            "please confirm that this address is yours. The link is good for 24 hours and for one use.",
            "If you did not register at Alta, ignore this message: without your confirmation nothing happens.",
        ),
        "Confirm address",
        link,
    )


def account_exists(name: str, link: str) -> Letter:
    """To somebody who registered again, or whose address somebody else tried."""
    return Letter(
        "You have an account already",
        (
            f"Hello {name},",
            "somebody tried to register at Alta with this address, which has an account already. Nothing was changed.",
            "If that was you, sign in as you are used to. If you forgot the password, choose a new one here; "
            "the link is good for one hour and for one use.",
        ),
        "Choose a new password",
        link,
    )


def password_reset(name: str, link: str) -> Letter:
    """To somebody who asked for a new password."""
    return Letter(
        "Choose a new password",
        (
            f"Hello {name},",
            "somebody, probably you, asked for a new password. The link is good for one hour and for one use.",
            "If you did not ask, ignore this message: your password stays as it is.",
        ),
        "Choose a new password",
        link,
    )


def welcome(name: str, company: str, link: str) -> Letter:
    """To somebody for whom an administrator made an account."""
    return Letter(
        f"Welcome to {company}",
        (
            f"Hello {name},",
            f"an account was made for you at {company}. Choose your password to start. "
            "The link is good for seven days and for one use.",
        ),
        "Choose a password",
        link,
    )


def invitation(inviter: str, project: str, role: str, link: str) -> Letter:
    """To somebody who is invited to a project."""
    return Letter(
        f"Invitation to {project}",
        (
            f"{inviter} invites you to the project {project} as {role}.",
            "The link is good for seven days and for one use, and only for this address.",
        ),
        "See the invitation",
        link,
    )
