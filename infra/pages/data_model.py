"""The page of what is stored: collections, their fields, who writes them, and the indexes over them."""

import ast
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from pydantic import BaseModel

from infra.calls import Node, mentioned, reached, text
from infra.catalog import functions
from infra.described import fields_of
from infra.indexes import INDEXES, Index, held
from infra.migrate import Ran
from infra.pages.glossary import MEANINGS
from infra.pages.markdown import WRITTEN, model_in, table, type_of
from shared.models.analytics import Rollup, Standing
from shared.models.assets import Asset
from shared.models.audit import AuditEntry
from shared.models.deadletters import DeadLetter
from shared.models.erasures import Erasure
from shared.models.exports import Export
from shared.models.idempotency import KeyedRequest
from shared.models.identity import Address, Company, User, Username
from shared.models.invitations import Invitation
from shared.models.labels import Annotations, LabelSet
from shared.models.passkeys import Passkey
from shared.models.projects import Cycle, Project
from shared.models.records import Record
from shared.models.review import ReviewEntry
from shared.models.revisions import Revision
from shared.models.sessions import Session
from shared.models.tokens import Token
from shared.models.webhooks import Delivery, Webhook
from shared.store.rate_limits import KnownAddress
from shared.store.sweeps import Sweep

_FIRESTORE = "shared.store.firestore"
_WRITING = frozenset((_FIRESTORE, name) for name in ("create", "replace", "change", "delete", "increment", "Write"))
_NAMES = ("name_key", "text", "what lists are ordered by and names are found by: case and form mean nothing")
_TERMS = ("terms", "list of text", "beginnings of its words, by which it is found")
_STATE = ("state", "text", "what follows from the fields above, to filter by")
_BASE = ("created_at", "updated_at", "deleted_at")


@dataclass(frozen=True)
class Collection:
    """One collection: where its name stands, what its documents are, and what the store adds to them."""

    constant: Node
    model: type[Record]
    added: tuple[tuple[str, str, str], ...] = ()
    below: str = ""

    @property
    def name(self) -> str:
        """As Firestore knows it."""
        return str(vars(__import__(self.constant[0], fromlist=["*"]))[self.constant[1]])


def _in(module: str, constant: str) -> Node:
    return (f"shared.store.{module}", constant)


COLLECTIONS = (
    Collection(_in("companies", "COMPANIES"), Company, (_TERMS, _STATE)),
    Collection(_in("users", "USERS"), User, (_TERMS, _STATE)),
    Collection(_in("users", "USERNAMES"), Username),
    Collection(_in("users", "ADDRESSES"), Address),
    Collection(_in("passkeys", "PASSKEYS"), Passkey),
    Collection(_in("tokens", "TOKENS"), Token),
    Collection(_in("projects", "PROJECTS"), Project, (_NAMES,)),
    Collection(_in("invitations", "INVITATIONS"), Invitation),
    Collection(_in("cycles", "CYCLES"), Cycle, (_NAMES,)),
    Collection(_in("sessions", "SESSIONS"), Session, (_NAMES,)),
    Collection(_in("assets", "ASSETS"), Asset),
    Collection(_in("revisions", "REVISIONS"), Revision, below="assets"),
    Collection(_in("reviews", "REVIEWS"), ReviewEntry),
    Collection(_in("labels", "LABEL_SETS"), LabelSet),
    Collection(_in("labels", "ANNOTATIONS"), Annotations),
    Collection(_in("rollups", "ROLLUPS"), Rollup),
    Collection(_in("rollups", "STANDINGS"), Standing),
    Collection(_in("exports", "EXPORTS"), Export),
    Collection(_in("webhooks", "WEBHOOKS"), Webhook),
    Collection(_in("webhooks", "DELIVERIES"), Delivery),
    Collection(_in("deadletters", "DEAD_LETTERS"), DeadLetter),
    Collection(_in("erasures", "ERASURES"), Erasure),
    Collection(_in("audit", "AUDIT"), AuditEntry),
    Collection(_in("idempotency", "IDEMPOTENCY"), KeyedRequest),
    Collection(
        _in("rate_limits", "RATE_LIMITS"), KnownAddress, (("count", "integer", "of a counter: requests so far"),)
    ),
    Collection(_in("sweeps", "SWEEPS"), Sweep),
)
_PEOPLE = {"created_by", "uploader_id", "actor_id", "invited_by", "decided_by", "submitted_by", "taken_by", "by"}
"""Fields that hold the id of a user."""
_HEAD = """\
# What is stored

Firestore, one collection for each kind of record. The id is that of the document and is no field. Every record has
`created_at`, `updated_at` and `deleted_at` (null while it lives); tables name the other fields. Its version, which
clients know as the `ETag`, is the time of its last write, which Firestore keeps. "Written by" names the functions whose
code can write to the collection. Bytes are in Cloud Storage: `documents/`, `voice/`, `files/` as they were sent,
`results/` what was recognised, `exports/` what was exported.

"""
_BELONGS = """\
## What belongs to what

Every arrow is a field that holds an id.

"""


def page() -> str:
    """docs/data-model.md."""
    parts = [WRITTEN, _HEAD, _BELONGS, "```mermaid\n", _picture(), "```\n"]
    parts += [_section(one) for one in COLLECTIONS]
    parts.append(_migrations())
    return "".join(parts)


def _picture() -> str:
    names = {one.name for one in COLLECTIONS}
    arrows = {
        (one.name, target, field)
        for one in COLLECTIONS
        for field in one.model.model_fields
        if (target := "users" if field in _PEOPLE else _target(field)) in names and target != one.name
    }
    arrows |= {(one.name, one.below, "below it") for one in COLLECTIONS if one.below}
    lines = [f"    {child} -- {field} --> {parent}\n" for child, parent, field in sorted(arrows)]
    return "".join(["flowchart LR\n", *lines])


def _target(field: str) -> str:
    """The collection that a field leads into: `project_id` into `projects`."""
    stem = field.removesuffix("_id")
    if stem == field:
        return ""
    return {"company": "companies", "document": "assets", "owner": ""}.get(stem, f"{stem}s")


def _section(one: Collection) -> str:
    title = f"{one.below}/{{id}}/{one.name}" if one.below else one.name
    about = " ".join((one.model.__doc__ or "").split())
    parts = [f"\n## `{title}`\n\n{about}\n\nWritten by: {', '.join(writers(one))}.\n\n"]
    parts.append(
        table(["field", "type", "meaning"], [*_fields(one.model), *([f"`{name}`", *rest] for name, *rest in one.added)])
    )
    if indexes := [index for index in held() if index.collection == one.name]:
        parts.append("\nIndexes:\n\n" + "".join(f"- {_shown(index)}\n" for index in sorted(indexes, key=_shown)))
    parts += [f"\n{line}\n" for line in _overrides(one.name)]
    return "".join(parts)


def _fields(model: type[BaseModel], prefix: str = "") -> Iterator[list[str]]:
    """A row for each field; those of a model inside follow it."""
    meanings = fields_of(model)
    for name, field in model.model_fields.items():
        if not prefix and name in (*_BASE, "id", "version"):
            continue
        inner = model_in(field.annotation)
        many = "list of " in type_of(field.annotation) or "map of " in type_of(field.annotation)
        of_model = " ".join((inner.__doc__ or "").split()) if inner else ""
        about = meanings.get(name) or of_model or _leads_to(name) or MEANINGS.get(name, "")
        held_by = type_of(field.annotation).replace(inner.__name__, "map") if inner else type_of(field.annotation)
        yield [f"`{prefix}{name}`", held_by, about]
        if inner is not None and not prefix:
            yield from _fields(inner, f"{prefix}{name}{'[]' if many else ''}.")


def _leads_to(field: str) -> str:
    """What a field without words of its own is the id of; nothing for other fields."""
    target = "users" if field in _PEOPLE else _target(field)
    return f"Id in [`{target}`](#{target})." if target in {one.name for one in COLLECTIONS} else ""


def _shown(index: Index) -> str:
    signs = {"ASCENDING": "", "DESCENDING": " ↓", "CONTAINS": " contains"}
    return ", ".join(f"`{path}`{signs[order]}" for path, order in index.fields)


def _overrides(name: str) -> Iterator[str]:
    overrides = [one for one in json.loads(INDEXES.read_text())["fieldOverrides"] if one["collectionGroup"] == name]
    exempt = [f"`{one['fieldPath']}`" for one in overrides if not one["indexes"]]
    if exempt:
        yield f"Not indexed: {', '.join(exempt)}."
    yield from (f"Deleted by the database after `{one['fieldPath']}`." for one in overrides if one.get("ttl"))


def _migrations() -> str:
    about = " ".join((Ran.__doc__ or "").split())
    rows = list(_fields(Ran))
    return f"\n## `migrations`\n\n{about}\n\nWritten by: `python -m infra.migrate`.\n\n" + table(
        ["field", "type", "meaning"], rows
    )


# --- who writes what


def writers(one: Collection) -> list[str]:
    """The functions whose code can write to a collection."""
    return [
        f"`{function.name}`"
        for function in functions()
        if one.constant in _written_in(reached(function.folder / "main.py"))
    ]


@lru_cache
def _written_in(nodes: frozenset[Node]) -> frozenset[Node]:
    """The collections that these nodes write to; one that is given them by others writes to all that those name."""
    found = {constant for node in nodes for constant in _written_by(node)}
    if any(_is_given_its_collection(node) for node in nodes):
        found |= {constant for node in nodes if not node[0].startswith("shared.store.") for constant in mentioned(node)}
    return frozenset(found)


def _is_given_its_collection(node: Node) -> bool:
    called = {
        one.func.id for one in ast.walk(text(node)) if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)
    }
    return node[0].startswith("shared.store.") and node[0] != _FIRESTORE and "Write" in called and not _written_by(node)


@lru_cache
def _written_by(node: Node) -> frozenset[Node]:
    """The collections, by their constants, that the text of a node writes to."""
    if not mentioned(node) & _WRITING or node[0] == _FIRESTORE:
        return frozenset()
    named = {one.constant: one for one in COLLECTIONS}
    found = {constant for one in _of_its_module(node) for constant in mentioned(one) if constant in named}
    below = {named[constant].below for constant in found}
    # The path of a sub-collection names the collection above it too.
    return frozenset(constant for constant in found if named[constant].name not in below)


def _of_its_module(node: Node) -> Iterable[Node]:
    """The node, and what it mentions of its own module, and so on."""
    found, waiting = set[Node](), [node]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(other for other in mentioned(one) if other[0] == node[0])
    return found
