"""Revisions: how the text of a document or recording came to be what it is."""

from typing import Annotated

from pydantic import StringConstraints

from shared.models.records import Asked, Frozen, Moment, Record, Text

TEXT_LIMIT = 1_000_000
"""Characters of a text that people may write."""
CHANGES_LIMIT = 200
"""Changes that a revision shows."""
CHANGED_LIMIT = 20_000
"""Characters that they hold together."""


class TextChange(Frozen):
    """One place in which a text differs from the one before."""

    at: int
    """Characters of the text before that come before it."""
    removed: str
    added: str


class RevisionSummary(Record):
    """A revision without its text: what lists read. Never changed."""

    company_id: str
    project_id: str
    asset_id: str
    number: int
    """From 1, in the order they were made."""
    author_id: str | None
    """None for what the machine read or heard."""
    comment: str | None = None
    characters: int
    diff: list[TextChange] = []
    """Against the revision before; empty for the machine's."""
    diff_truncated: bool = False
    """Whether there are more changes, or longer ones, than are kept."""
    text_object: str | None = None
    """Where the whole text is in the bucket, when `text` is its beginning."""


class Revision(RevisionSummary):
    """A revision with its text, up to `INLINE_TEXT_LIMIT`."""

    text: str


# --- on the wire


class NewText(Asked):
    """What the text should be."""

    text: Annotated[str, StringConstraints(max_length=TEXT_LIMIT)]
    comment: Text | None = None


class TextView(Frozen):
    """The whole text as it is now. `revision` 0: as the machine read or heard it."""

    text: str
    revision: int
    corrected: bool


class RevisionItem(Frozen):
    """A revision in a list."""

    number: int
    created_at: Moment
    author_id: str | None
    comment: str | None
    characters: int
    diff: list[TextChange]
    diff_truncated: bool


class RevisionView(RevisionItem):
    """A revision with its whole text."""

    text: str
