"""What is remembered of uploads, and what a lost process may lose of it."""

import stat
from pathlib import Path

import pytest

from clients.uploader import Journal
from clients.uploader.contract import Grant, JobFile
from clients.uploader.hashing import HashedFile
from clients.uploader.journal import Expected, Run, Target, TargetJournal

GRANT = Grant(protocol="resumable", method="POST", url="https://storage", headers={}, expires_at="2030-01-01T00:00:00Z")
RUN = Run("ses_1", "ses_1", manifest_complete=True, finished=False)


@pytest.fixture
def target(journal: Journal) -> TargetJournal:
    target = journal.target(Target("https://alta", "prj_1", "", "/letters"))
    target.begin("ses_1")
    return target


def file(path: str, crc32c: str = "AAAAAA==") -> HashedFile:
    return HashedFile(path, f"/letters/{path}", 4, 1, "text/plain", crc32c)


def answer(path: str, asset_id: str, grant: Grant | None = GRANT) -> JobFile:
    return JobFile(path=path, asset_id=asset_id, kind="file", state="pending", upload=grant)


def test_the_journal_is_for_its_owner_alone(journal: Journal, target: TargetJournal, tmp_path: Path) -> None:
    target.announced(RUN, [(file("a"), answer("a", "ast_a"))], last=True)
    files = list((tmp_path / "state").glob("journal*"))
    assert files
    assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_a_resumable_uri_outlives_the_process_at_once_and_a_finished_file_with_its_batch(
    journal: Journal, target: TargetJournal, tmp_path: Path
) -> None:
    # Given
    target.announced(RUN, [(file(name), answer(name, f"ast_{name}")) for name in "ab"], last=True)
    # When
    target.resumable("a", "https://storage/upload")
    target.done("b")
    # Then another process, which is what is left after a kill, sees the first and not yet the second
    other = Journal(tmp_path / "state")
    seen = other.target(Target("https://alta", "prj_1", "", "/letters"))
    assert seen.lookup(["a"])["a"].resumable_uri == "https://storage/upload"
    assert not seen.lookup(["b"])["b"].done
    target.flush()
    assert seen.lookup(["b"])["b"].done
    other.close()


def test_a_resumable_uri_stays_while_its_file_is_the_same(target: TargetJournal) -> None:
    target.announced(RUN, [(file("a"), answer("a", "ast_a"))], last=True)
    target.resumable("a", "https://storage/upload")
    target.announced(RUN, [(file("a"), answer("a", "ast_a"))], last=True)
    assert target.lookup(["a"])["a"].resumable_uri == "https://storage/upload"
    target.announced(RUN, [(file("a", "BBBBBB=="), answer("a", "ast_b"))], last=True)
    assert target.lookup(["a"])["a"].resumable_uri is None


def test_a_file_that_was_announced_twice_is_expected_twice_and_pending_once(
    journal: Journal, target: TargetJournal
) -> None:
    target.announced(RUN, [(file("a"), answer("a", "ast_a")), (file("b"), answer("b", "ast_b", None))], last=True)
    target.announced(RUN, [(file("a", "BBBBBB=="), answer("a", "ast_c"))], last=True)
    assert journal.expected("ses_1") == Expected(announced=3, pending=1, replaced=1)


def test_a_refused_file_needs_no_bytes_and_is_not_taken_for_an_uploaded_one(
    journal: Journal, target: TargetJournal
) -> None:
    refused, uploaded = answer("a", "ast_a", None), answer("b", "ast_b", None)
    refused["state"], uploaded["state"] = "failed", "already_uploaded"
    target.announced(RUN, [(file("a"), refused), (file("b"), uploaded)], last=True)
    known = target.lookup(["a", "b"])
    assert {path: (entry.done, entry.refused) for path, entry in known.items()} == {
        "a": (True, True),
        "b": (True, False),
    }
    assert journal.expected("ses_1").pending == 0


def test_targets_know_nothing_of_each_other(journal: Journal, target: TargetJournal) -> None:
    target.announced(RUN, [(file("a"), answer("a", "ast_a"))], last=True)
    for other in (
        Target("https://other", "prj_1", "", "/letters"),
        Target("https://alta", "prj_2", "", "/letters"),
        Target("https://alta", "prj_1", "cyc_1", "/letters"),
        Target("https://alta", "prj_1", "", "/other"),
    ):
        assert journal.target(other).lookup(["a"]) == {}
        assert journal.target(other).latest_run() is None
