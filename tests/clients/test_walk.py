"""Which files of a folder are uploaded, and under which names."""

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.uploader.content_types import content_type_of
from clients.uploader.errors import NothingToUpload
from clients.uploader.walk import LocalFile, Selection, Unusable, Walk


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def paths(folder: Path, *, hidden: bool = False, exclude: tuple[str, ...] = ()) -> list[str]:
    return [item.path for item in Walk(Selection.of([folder]), hidden, exclude) if isinstance(item, LocalFile)]


def unusable(folder: Path) -> dict[str, str]:
    found = Walk(Selection.of([folder]))
    return {item.path: item.problem.code for item in found if isinstance(item, Unusable)}


def test_the_order_is_that_of_the_names_folder_by_folder(folder: Path) -> None:
    make(folder, "b.txt", "a/z.txt", "c/a.txt", "a/b/c.txt", "B.txt")
    assert paths(folder) == ["B.txt", "a/b/c.txt", "a/z.txt", "b.txt", "c/a.txt"]


def test_hidden_files_and_litter_stay_unless_asked_for(folder: Path) -> None:
    make(folder, "a.txt", ".DS_Store", ".git/config", "Thumbs.db", "__MACOSX/a", "~$a.docx", "desktop.ini")
    assert paths(folder) == ["a.txt"]
    assert len(paths(folder, hidden=True)) == 7


def test_globs_leave_out_files_and_folders_by_name_or_path(folder: Path) -> None:
    make(folder, "a.txt", "a.tmp", "drafts/b.txt", "x/drafts/c.txt", "x/d.txt")
    assert paths(folder, exclude=("*.tmp", "drafts")) == ["a.txt", "x/d.txt"]
    assert paths(folder, exclude=("x/*",)) == ["a.tmp", "a.txt", "drafts/b.txt"]


def test_links_are_followed_to_files_of_the_tree_and_nowhere_else(folder: Path, tmp_path: Path) -> None:
    make(folder, "real.txt", "sub/file.txt")
    make(tmp_path, "outside.txt")
    (folder / "inside").symlink_to("real.txt")
    (folder / "outside").symlink_to(tmp_path / "outside.txt")
    (folder / "circle").symlink_to(folder)
    (folder / "twice").symlink_to("sub")
    assert paths(folder) == ["inside", "real.txt", "sub/file.txt"]
    assert unusable(folder) == dict.fromkeys(("circle", "outside", "twice"), "link_not_followed")


def test_a_name_that_is_not_utf_8_is_reported_in_printable_letters(folder: Path) -> None:
    make(folder, "good.txt")
    (folder / os.fsdecode(b"bad\xff.txt")).write_text("bad")
    assert paths(folder) == ["good.txt"]
    assert unusable(folder) == {"bad\N{REPLACEMENT CHARACTER}.txt": "unusable_name"}


def test_two_spellings_of_one_name_are_one_file_and_one_problem(folder: Path) -> None:
    make(folder, "é.txt", unicodedata.normalize("NFD", "é.txt"))
    if len(os.listdir(folder)) == 1:
        pytest.skip("this file system takes both spellings for one name")
    assert paths(folder) == ["é.txt"]
    assert unusable(folder) == {"é.txt": "duplicate_name"}


def test_a_folder_that_cannot_be_read_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(folder, "a.txt", "secret/b.txt")
    scandir = os.scandir

    def guarded(location: str) -> object:
        if location.endswith("secret"):
            raise PermissionError(13, "Permission denied")
        return scandir(location)

    monkeypatch.setattr(os, "scandir", guarded)
    assert paths(folder) == ["a.txt"]
    assert unusable(folder) == {"secret/": "unreadable"}


def test_a_link_that_the_user_names_is_followed(folder: Path, tmp_path: Path) -> None:
    make(folder, "a.txt")
    (tmp_path / "link").symlink_to(folder)
    assert paths(tmp_path / "link") == ["a.txt"]
    assert Selection.of([tmp_path / "link"]).root == folder.resolve()


def test_several_folders_are_named_from_the_folder_that_holds_them(folder: Path) -> None:
    make(folder, "x/a.txt", "y/b.txt", "z/c.txt")
    walk = Walk(Selection.of([folder / "y", folder / "x", folder / "x"]))
    assert [item.path for item in walk] == ["x/a.txt", "y/b.txt"]


def test_what_lies_below_a_named_folder_comes_once(folder: Path) -> None:
    make(folder, "x/a.txt", "x/sub/b.txt", "y.txt")
    alone = Selection.of([folder / "x"])
    assert Selection.of([folder / "x", folder / "x/a.txt", folder / "x" / "sub", folder / "x/."]) == alone
    walk = Walk(Selection.of([folder / "x/sub/b.txt", folder / "y.txt", folder / "x"]))
    assert [item.path for item in walk] == ["x/a.txt", "x/sub/b.txt", "y.txt"]


def test_two_folders_whose_names_begin_alike_are_not_one_in_the_other(folder: Path) -> None:
    make(folder, "x/a.txt", "xy/b.txt")
    walk = Walk(Selection.of([folder / "x", folder / "xy"]))
    assert [item.path for item in walk] == ["x/a.txt", "xy/b.txt"]


def test_a_folder_whose_own_name_is_not_utf_8_has_one_that_can_be_told(tmp_path: Path) -> None:
    odd, other = (tmp_path / os.fsdecode(name) for name in (b"bad\xff", b"bad\xfe"))
    make(odd, "a.txt")
    make(other, "a.txt")
    assert paths(odd) == ["a.txt"]
    assert Selection.of([odd]).name == "bad\N{REPLACEMENT CHARACTER}"
    assert Selection.of([odd]).key.encode() != Selection.of([other]).key.encode()


def test_a_missing_path_is_said_to_be_missing(folder: Path) -> None:
    with pytest.raises(NothingToUpload, match="missing"):
        Selection.of([folder / "missing"])


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.webp", "image/webp"),
        ("a.TIFF", "image/tiff"),
        ("a.pdf", "application/pdf"),
        ("a.opus", "audio/ogg"),
        ("a.m4a", "audio/mp4"),
        ("a.flac", "audio/flac"),
        ("a.webm", "audio/webm"),
        ("a.wav", "audio/wav"),
        ("a.mp3", "audio/mpeg"),
        ("a.csv", "text/csv"),
        ("data:,a.png", "image/png"),
        ("Makefile", "application/octet-stream"),
        ("a.unknown", "application/octet-stream"),
        ("png", "application/octet-stream"),
    ],
)
def test_the_content_type_follows_from_the_name(name: str, content_type: str) -> None:
    assert content_type_of(name) == content_type


@given(name=st.text())
def test_every_name_has_a_content_type_that_fits_a_header(name: str) -> None:
    assert content_type_of(name).isascii()
    assert content_type_of(name).count("/") == 1
