"""Checksums as Cloud Storage counts them."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.uploader.hashing import HashedFile, Hasher, Stopped
from clients.uploader.walk import LocalFile, Unusable


def local(path: Path) -> LocalFile:
    found = path.stat()
    return LocalFile(path.name, str(path), found.st_size, found.st_mtime_ns)


def silent(files: int, size: int) -> None: ...


def test_the_checksum_is_that_of_the_standard_in_base_64(tmp_path: Path) -> None:
    # RFC 3720, B.4: 32 bytes of zeros give aa 36 91 8a, least significant byte first.
    (tmp_path / "zeros").write_bytes(bytes(32))
    (hashed,) = Hasher(silent).hash_all([local(tmp_path / "zeros")])
    assert isinstance(hashed, HashedFile)
    assert hashed.crc32c == "ipE2qg=="


@given(blocks=st.integers(0, 3), rest=st.integers(0, 1000))
def test_every_byte_and_every_file_is_reported(
    tmp_path_factory: pytest.TempPathFactory, blocks: int, rest: int
) -> None:
    path = tmp_path_factory.mktemp("hashing") / "file"
    path.write_bytes(bytes((blocks << 20) + rest))
    reports: list[tuple[int, int]] = []
    Hasher(lambda files, size: reports.append((files, size))).hash_all([local(path)])
    assert (sum(files for files, _ in reports), sum(size for _, size in reports)) == (1, (blocks << 20) + rest)


def test_a_file_that_is_not_what_the_walk_saw_is_a_problem_of_its_own(tmp_path: Path) -> None:
    for name in ("changed", "good", "gone"):
        (tmp_path / name).write_text(name)
    files = [local(tmp_path / name) for name in ("changed", "good", "gone")]
    os.utime(tmp_path / "changed", ns=(1, 1))
    (tmp_path / "gone").unlink()
    changed, good, gone = Hasher(silent).hash_all(files)
    assert isinstance(changed, Unusable)
    assert isinstance(gone, Unusable)
    assert (changed.problem.code, gone.problem.code) == ("changed_while_uploading", "vanished")
    assert isinstance(good, HashedFile)


def test_a_stopped_hasher_reads_no_further(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    hasher = Hasher(silent)
    hasher.stop()
    with pytest.raises(Stopped):
        hasher.hash_all([local(tmp_path / "file")])
