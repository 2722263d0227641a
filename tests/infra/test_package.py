"""Each function's zip: the same bytes for the same input, nothing that is not reached, and a start on its own.

`PACKAGE_CHECK=all` (`make package-check`) starts every function alone; without it, one of each sort is started.
"""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import package
from infra.catalog import ROOT, Function, functions
from tests.environments import BUILD
from tests.infra.standalone import asked, compile_source, started, unpack
from tests.infra.workspace import Plan

SAMPLE = {"ocr", "cycles"}
PACKAGED = [function for function in functions() if (function.folder / "main.py").is_file()]
ALONE = [one for one in PACKAGED if one.name in SAMPLE or os.environ.get("PACKAGE_CHECK") == "all"]


def _named(name: str) -> Function:
    return next(function for function in PACKAGED if function.name == name)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    first = package.write(_named("cycles"), tmp_path / "first")
    # Another process, working directory, hash seed and time zone
    command = (
        "from pathlib import Path; from infra import package; "
        f"package.write(package.chosen(['cycles'])[0], Path({str(tmp_path / 'second')!r}))"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7", "TZ": "Pacific/Chatham"}
    subprocess.run([sys.executable, "-c", command], cwd=tmp_path, env=environment, check=True)
    (second,) = (tmp_path / "second").iterdir()
    assert second.name == first.name
    assert second.read_bytes() == first.read_bytes()


def test_other_content_has_another_name() -> None:
    held = package.contents(_named("cycles"))
    assert package.archive(held) != package.archive(held | {"main.py": held["main.py"] + b"\n"})


def test_an_older_zip_of_the_same_function_is_removed(tmp_path: Path) -> None:
    kept = tmp_path / "cycles-report-000000000000.zip"  # of a function whose name only starts alike
    for older in (kept, tmp_path / "cycles-000000000000.zip"):
        older.touch()
    written = package.write(_named("cycles"), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {kept.name, written.name}


@pytest.mark.parametrize("function", PACKAGED, ids=lambda function: function.name)
def test_a_zip_holds_its_function_and_what_that_reaches(function: Function) -> None:
    held = package.contents(function)
    assert {"main.py", "requirements.txt", "shared/__init__.py", "shared/settings.py"} <= held.keys()
    assert not [path for path in held if path.startswith(("tests/", "emulators/", "infra/"))]
    assert held["main.py"] == (function.folder / "main.py").read_bytes()


def test_what_the_build_compiles_is_bound_to_content(prod: Plan, tmp_path: Path) -> None:
    with zipfile.ZipFile(package.write(_named("cycles"), tmp_path)) as opened:
        opened.extractall(tmp_path)
    planned = prod.of("google_cloudfunctions2_function")["cycles"]["build_config"][0]["environment_variables"]

    compile_source(sys.executable, tmp_path)

    assert planned == BUILD
    flags = {path.read_bytes()[4:8] for path in tmp_path.rglob("*.pyc")}
    assert flags == {b"\x03\0\0\0"}  # checked against the hash of the source (https://peps.python.org/pep-0552/)


def test_a_data_file_beside_the_code_goes_with_it() -> None:
    health = _named("health")
    data = {path.name for path in health.folder.glob("*.json")}
    assert data <= package.contents(health).keys()
    assert not {"function.yaml", "README.md"} & package.contents(health).keys()


def test_a_function_that_reads_no_documents_carries_no_reader() -> None:
    reading = {one.name for one in PACKAGED if "shared/cloud/documentai.py" in package.contents(one)}
    assert reading <= {one.name for one in PACKAGED if "roles/documentai.apiUser" in one.roles}
    assert "ocr" in reading


def test_a_zip_says_who_may_read_its_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(package.write(_named("cycles"), tmp_path)) as opened:
        assert {entry.external_attr >> 16 for entry in opened.infolist()} == {0o100644}
        assert [entry.filename for entry in opened.infolist()] == sorted(opened.namelist())


@pytest.mark.parametrize("function", ALONE, ids=lambda function: function.name)
def test_a_function_starts_and_answers_alone(function: Function, tmp_path: Path) -> None:
    # Given nothing but its zip and a clean environment with its requirements
    folder = unpack(package.write(function, tmp_path), tmp_path)
    # When it is started as it is deployed
    with started(folder) as client:
        answer = asked(function, client)
    # Then it is the function that answers: what was asked, or why not
    assert answer.status_code < 500, answer.text
    assert answer.headers["x-request-id"]
