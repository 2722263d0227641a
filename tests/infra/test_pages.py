"""The pages that code tells are what it tells, and leave nothing out."""

import importlib
import pkgutil
import re
from typing import Any

import pytest

import shared.store
from infra.calls import reached
from infra.catalog import ROOT, functions
from infra.migrate import Ran
from infra.pages import data_model
from infra.pages.__main__ import PAGES, stale
from infra.pages.data_model import COLLECTIONS, Collection
from infra.pages.glossary import MEANINGS
from infra.pages.settings import read_by
from shared import errors
from shared.settings import Settings

NO_COLLECTIONS = {"shared.store.listing.NAME_KEY", "shared.store.sweeps.ID"}
"""Names in capitals that are a field and a document."""


def _names() -> dict[str, str]:
    """The collections that the store names."""
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(shared.store.__path__, "shared.store."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if re.fullmatch(r"[A-Z][A-Z_]+", name) and isinstance(value, str):
                found.setdefault(value, f"{module.name}.{name}")
    return {value: name for value, name in found.items() if name not in NO_COLLECTIONS}


def test_no_page_is_stale() -> None:
    assert [str(path.relative_to(ROOT)) for path in stale()] == [], "run `make pages`"


def test_every_collection_of_the_store_is_described() -> None:
    assert {one.name for one in COLLECTIONS} == _names().keys()


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda one: one.name)
def test_every_field_has_a_meaning_and_somebody_who_writes_it(collection: Collection) -> None:
    assert [row for row in data_model._fields(collection.model) if not row[2]] == []
    assert data_model.writers(collection)


def test_no_word_of_the_glossary_is_there_for_nothing() -> None:
    rows = [row for one in COLLECTIONS for row in data_model._fields(one.model)]
    rows += data_model._fields(Ran)
    said = {(re.split(r"[.`]", row[0])[-2], row[2]) for row in rows}
    assert [name for name, meaning in MEANINGS.items() if (name, meaning) not in said] == []


WRITERS = {
    "sessions": {"sessions", "uploads", "progress"},
    "invitations": {"projects", "auth", "mail"},
    "idempotency": {"projects", "health"},
    "sweeps": {"reconcile"},
}
STRANGERS = {"sessions": {"analytics", "health", "mail"}, "users": {"sessions", "ocr"}, "sweeps": {"purge"}}


def test_who_writes_what_is_told_by_what_can_be_called() -> None:
    written = {one.name: {name.strip("`") for name in data_model.writers(one)} for one in COLLECTIONS}
    assert {name: some - written[name] for name, some in WRITERS.items() if some - written[name]} == {}
    assert {name: some & written[name] for name, some in STRANGERS.items() if some & written[name]} == {}


def test_every_setting_is_read_by_a_function() -> None:
    read: set[Any] = {name for function in functions() for name in read_by(function)}
    assert read == Settings.model_fields.keys()


def test_a_function_reaches_less_than_it_imports() -> None:
    (health,) = [one for one in functions() if one.name == "health"]
    nodes = reached(health.folder / "main.py")
    assert ("shared.services.health", "readiness") in nodes or len(nodes) > 50
    assert not any(module == "shared.store.sessions" for module, _ in nodes)


def test_every_error_is_on_its_page() -> None:
    page = PAGES[ROOT / "docs" / "errors.md"]()
    assert [error.code for error in errors.catalogue() if f"| `{error.code}` | {error.status} |" not in page] == []
