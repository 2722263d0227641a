"""Each function's requirements.txt and its imports agree."""

from pathlib import Path

import pytest

from infra import requirements
from infra.catalog import ROOT, Function, functions
from infra.imports import UnknownModuleError, reach

DOCUMENTED = [function for function in functions() if (function.folder / "main.py").is_file()]


@pytest.mark.parametrize("function", DOCUMENTED, ids=lambda function: function.name)
def test_the_requirements_of_a_function_are_what_it_imports(function: Function) -> None:
    written = (function.folder / "requirements.txt").read_text()
    assert written == requirements.text(function), "run `make requirements`"


@pytest.mark.parametrize("function", DOCUMENTED, ids=lambda function: function.name)
def test_what_is_deployed_is_locked_whole(function: Function) -> None:
    locked = requirements.locked(function)
    assert requirements.direct(function).items() <= locked.items()
    assert {name: line.rpartition("==")[2] for name, line in locked.items()} == {
        name: requirements.pins()[name] for name in locked
    }


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """A function's main.py, to be written."""
    return tmp_path / "main.py"


def test_an_import_inside_a_function_counts(main: Path) -> None:
    main.write_text("def read():\n    from google.cloud import documentai\n")
    assert reach(main).distributions == ("google-cloud-documentai",)


def test_an_import_for_type_checking_does_not_count(main: Path) -> None:
    main.write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import httpx\nelse:\n    import yaml\n")
    assert reach(main).distributions == ("pyyaml",)


def test_packages_that_share_a_namespace_are_told_apart(main: Path) -> None:
    main.write_text("from google.cloud import firestore\nfrom google.api_core import exceptions\nimport google.auth\n")
    assert reach(main).distributions == ("google-api-core", "google-auth", "google-cloud-firestore")


def test_imports_are_followed_through_shared(main: Path) -> None:
    main.write_text("from shared.settings import settings\n")
    assert reach(main).modules == ("shared", "shared.settings")
    assert "pydantic-settings" in reach(main).distributions


def test_a_module_that_nothing_brings_is_refused(main: Path) -> None:
    main.write_text("import no_such_module\n")
    with pytest.raises(UnknownModuleError, match="no_such_module"):
        reach(main)


def test_a_module_missing_from_shared_is_refused(main: Path) -> None:
    main.write_text("import shared.no_such_module\n")
    with pytest.raises(UnknownModuleError, match="no_such_module"):
        reach(main)


def test_no_module_is_imported_by_a_name_made_at_run_time() -> None:
    # The packager reads imports from the text; one it can't see would be missing where the function runs.
    sources = [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    hidden = [path.name for path in sources if "import_module" in path.read_text() or "__import__" in path.read_text()]
    assert hidden == []
