"""The local cloud of the tests, whose queries are recorded, and the judgement of its indexes after the last test.

A query that no index serves fails the run, whatever its own test made of the refusal. An index that no query uses
fails a whole run alone: a part of the tests can't tell. With pytest-xdist the controller judges.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from emulators.cloud import LocalCloud
from emulators.ports import Ports
from emulators.processes import Part
from emulators.state import State
from infra.indexes import Shape
from tests.firestore.recording import lacking, recorded, unused

QUERIES = "queries.jsonl"
"""The record of a run, in its temporary folder."""

_FOUND = pytest.StashKey[list[str]]()


class RecordedCloud(LocalCloud):
    """A local cloud, empty at first, whose functions record their queries in a file."""

    def __init__(self, ports: Ports, state: State, file: Path) -> None:
        super().__init__(ports, state, fresh=True)
        self._file = file

    def _gateway(self, upstreams: Mapping[str, int]) -> Part:
        part = super()._gateway(upstreams)
        python, as_module, *gateway = part.command
        return replace(part, command=(python, as_module, "tests.firestore.recording", str(self._file), *gateway))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails the run for what the record tells."""
    if hasattr(session.config, "workerinput"):
        return
    base = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # as pytest-xdist does
    files = [*base.glob(QUERIES), *base.glob(f"popen-*/{QUERIES}")]
    if not files:
        return
    shapes = set[Shape]().union(*map(recorded, files))
    found = [f"no index serves  {one}" for one in lacking(shapes)]
    if _is_whole(session.config) and not session.testsfailed:
        found += [f"nothing uses     {one}" for one in unused(shapes)]
    if found:
        session.config.stash[_FOUND] = found
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says why."""
    for one in config.stash.get(_FOUND, []):
        terminalreporter.write_line(f"FAILED infra/firestore.indexes.json: {one}", red=True)


def _is_whole(config: pytest.Config) -> bool:
    """Whether every test that is run by default was run."""
    option = config.option
    chosen = option.keyword or option.deselect or getattr(option, "lf", False)
    return config.args == config.getini("testpaths") and option.markexpr in config.getini("addopts") and not chosen
