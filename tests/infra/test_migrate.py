"""Data migrations, on the emulator: previewed, run, killed, run again, and run twice at once."""

import asyncio
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from infra import migrate
from infra.catalog import ROOT
from infra.migrate import FOLDER, MIGRATIONS, MigrationError, Ran, Stored, migrations, pending, preview, run
from shared.models.assets import Kind
from shared.models.projects import Project
from shared.models.records import new_id, now
from shared.store import assets, firestore, projects
from shared.store.firestore import Query, Write
from tests.conftest import Cloud
from tests.emulators.waiting import until
from tests.people import found_company, join

DOCUMENTS = 30
_FILE = '''"""Counts in tens."""

import time

COLLECTIONS = ("{first}", "{second}")
FIELDS = ("number", "tens")


def change(document):
    time.sleep({pause})
    return {{}} if "tens" in document else {{"tens": 10 * document["number"]}}
'''


class Silent:
    """Nobody is told."""

    def __call__(self, line: str) -> None:
        self.last = line


class Data:
    """Two collections of a test's own, and a folder with one migration of them."""

    def __init__(self, folder: Path, pause: float = 0) -> None:
        self.first, self.second = new_id("first"), new_id("second")
        self.folder = folder
        self.file = folder / f"0001_{new_id('m')}.py"
        self.file.write_text(_FILE.format(first=self.first, second=self.second, pause=pause))

    async def fill(self) -> None:
        """Documents that lack a field, and one that has it."""
        fields = {"created_at": now(), "updated_at": now()}
        numbered = [Write(f"{self.first}/{number:03}", {**fields, "number": number}) for number in range(DOCUMENTS)]
        await firestore.commit(*numbered, Write(f"{self.second}/done", {**fields, "number": 1, "tens": 7}))

    async def tens(self) -> dict[int, int]:
        """What the first collection holds."""
        found = await firestore.query(Stored, firestore.Query(self.first))
        return {one.model_extra["number"]: one.model_extra.get("tens", 0) for one in found if one.model_extra}

    async def record(self) -> Ran | None:
        return await firestore.get(Ran, f"{MIGRATIONS}/{self.file.stem}")

    async def expire(self) -> None:
        """The lease of whoever was killed runs out."""
        path = f"{MIGRATIONS}/{self.file.stem}"
        await firestore.commit(Write(path, {"leased_until": now() - timedelta(seconds=1)}, mask=("leased_until",)))


EVERY_TEN = {number: 10 * number for number in range(DOCUMENTS)}


@pytest.fixture
def make(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Data]:
    monkeypatch.setattr(migrate, "BATCH", 8)
    return lambda: Data(tmp_path)


async def test_a_dry_run_shows_every_change_and_writes_nothing(make: Callable[[], Data]) -> None:
    data, lines = make(), list[str]()
    await data.fill()
    (migration,) = migrations(data.folder)
    assert await preview(migration, lines.append) == DOCUMENTS
    assert lines[1] == f"  {data.first}/001: {{'tens': 10}}"
    assert set((await data.tens()).values()) == {0}
    assert await data.record() is None


async def test_what_ran_is_recorded_and_not_run_again(make: Callable[[], Data]) -> None:
    data = make()
    await data.fill()
    (migration,) = migrations(data.folder)
    assert [one.id for one in await pending([migration])] == [migration.id]

    ran = await run(migration, Silent())

    assert (ran.looked_at, ran.changed, ran.checksum) == (DOCUMENTS + 1, DOCUMENTS, migration.checksum)
    assert await data.tens() == EVERY_TEN
    assert await data.record() == ran
    assert await pending([migration]) == []
    again = await run(migration, Silent())
    assert (again.changed, again.finished_at) == (DOCUMENTS, ran.finished_at)


async def test_of_two_at_once_one_is_refused_and_nothing_is_done_twice(make: Callable[[], Data]) -> None:
    data = make()
    await data.fill()
    (migration,) = migrations(data.folder)
    both = await asyncio.gather(*(run(migration, Silent()) for _ in range(2)), return_exceptions=True)
    (ran,) = [one for one in both if isinstance(one, Ran)]
    (refused,) = [one for one in both if isinstance(one, MigrationError)]
    assert migration.id in str(refused)
    assert ran.changed == DOCUMENTS
    assert await data.tens() == EVERY_TEN


async def test_what_somebody_writes_meanwhile_is_not_written_over(make: Callable[[], Data]) -> None:
    data = make()
    await data.fill()
    (migration,) = migrations(data.folder)

    async def visit() -> int:
        """Counts on one document for as long as the migration runs."""
        visits = 0
        while not running.done():
            await firestore.commit(Write(f"{data.first}/017", {}, mask=(), add={"visits": 1}))
            visits += 1
            await asyncio.sleep(0)
        return visits

    running = asyncio.ensure_future(run(migration, Silent()))
    visits = await visit()
    ran = await running

    visited = await firestore.get(Stored, f"{data.first}/017")
    assert visited is not None
    assert visited.model_extra == {"number": 17, "tens": 170, "visits": visits}
    assert ran.changed == DOCUMENTS


async def test_a_run_that_is_killed_is_gone_on_with_where_it_was(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Data(tmp_path, pause=0.02)
    await data.fill()
    code = "import sys; from infra import migrate; migrate.BATCH = 4; sys.exit(migrate.main())"
    command = [sys.executable, "-c", code, "--folder", str(data.folder)]
    environment = {**os.environ, **cloud.environment}
    killed = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment)

    async def is_in_the_middle() -> bool:
        record = await data.record()
        return record is not None and record.looked_at > 0

    await until(is_in_the_middle)
    killed.kill()
    await killed.wait()
    half = await data.record()
    assert half is not None
    assert 0 < half.changed < DOCUMENTS
    (migration,) = migrations(data.folder)
    with pytest.raises(MigrationError, match="is being run by"):
        await run(migration, Silent())

    await data.expire()
    again = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment)

    assert await again.wait() == 0
    ran = await data.record()
    assert ran is not None
    assert ran.finished_at is not None
    assert (ran.looked_at, ran.changed) == (DOCUMENTS + 1, DOCUMENTS)
    assert await data.tens() == EVERY_TEN


async def test_a_migration_that_ran_must_not_be_edited(make: Callable[[], Data]) -> None:
    data = make()
    await data.fill()
    await run(migrations(data.folder)[0], Silent())
    data.file.write_text(data.file.read_text() + "# and more\n")
    with pytest.raises(MigrationError, match="was edited since"):
        await pending(migrations(data.folder))


def test_a_number_is_given_once_and_the_name_tells_it(tmp_path: Path) -> None:
    for name in ("0001_a.py", "0001_b.py"):
        (tmp_path / name).write_text(_FILE.format(first="a", second="b", pause=0))
    with pytest.raises(MigrationError, match="same number"):
        migrations(tmp_path)
    (tmp_path / "1_c.py").write_text("")
    with pytest.raises(MigrationError, match="is not named"):
        migrations(tmp_path)


async def test_the_first_one_makes_old_records_found_by_name(cloud: Cloud) -> None:
    person = await join(cloud, None)
    moment = now()
    project = Project(
        id=new_id("prj"), created_at=moment, updated_at=moment, company_id=(await found_company()).id,
        name="Ältere Akten", created_by=person.user.id, members={person.user.id: "admin"}, member_ids=[person.user.id],
    )  # fmt: skip
    await firestore.commit(firestore.create(projects.PROJECTS, project))  # as it was written then: without the key

    async def listed() -> list[str]:
        answer = await person.http.get("/api/projects", params={"name_prefix": "ältere"})
        return [one["id"] for one in answer.raise_for_status().json()["items"]]

    assert await listed() == []
    await _migrate(1, f"{projects.PROJECTS}/{project.id}")
    assert await listed() == [project.id]


async def test_the_second_one_makes_old_files_found_by_purging(cloud: Cloud) -> None:
    moment, name = now(), new_id("ast")
    path = f"{assets.ASSETS}/{name}"
    await firestore.commit(Write(path, {"created_at": moment, "updated_at": moment, "deleted_at": moment}))
    alone = Query(
        assets.ASSETS,
        where=(("deleted_with", "==", None), ("deleted_at", "==", moment)),
        select=("created_at", "updated_at"),
    )
    assert await firestore.query(Stored, alone) == []
    await _migrate(2, path)
    assert [one.id for one in await firestore.query(Stored, alone)] == [name]
    await firestore.commit(firestore.delete(path))


async def test_what_is_added_up_is_a_number(cloud: Cloud) -> None:
    name, session_id, moment = new_id("ast"), new_id("ses"), now()
    path = f"{assets.ASSETS}/{name}"
    fields = {"session_id": session_id, "size": 7, "uploaded_bytes": 7, "uploaded": True, "settled": False}
    stored = {"created_at": moment, "updated_at": moment, "deleted_at": None, **fields}
    await firestore.commit(Write(path, stored))
    assert (await assets.total(session_id)).sums["uploaded"] == 0
    await _migrate(3, path)
    assert (await assets.total(session_id)).sums == {"size": 7, "uploaded_bytes": 7, "uploaded": 1, "settled": 0}
    await firestore.commit(firestore.delete(path))


async def test_what_was_spent_before_is_taken_from_the_budget(cloud: Cloud) -> None:
    name, moment = new_id("ast"), now()
    path, own = f"{assets.ASSETS}/{name}", ("project_id", new_id("prj"))
    read = {"kind": "document", "twin_of": None, "pages": 3, "duration_seconds": None, "processed_at": moment}
    stored = {"created_at": moment, "updated_at": moment, "deleted_at": None, "project_id": own[1], **read}
    await firestore.commit(Write(path, stored))
    assert await assets.spent_since(moment, own, Kind.DOCUMENT) == 0
    await _migrate(4, path)
    assert await assets.spent_since(moment, own, Kind.DOCUMENT) == 3
    await firestore.commit(firestore.delete(path))


async def _migrate(number: int, path: str) -> None:
    """What a migration does to one document, and nothing when it is asked again. Others' stay as they are."""
    (migration,) = [one for one in migrations(FOLDER) if one.number == number]
    for is_done in (False, True):
        record = await firestore.get(Stored, path)
        assert record is not None
        fields = migration.change(migrate._fields(record))
        assert bool(fields) is not is_done
        if fields:
            await firestore.commit(Write(path, fields, mask=tuple(fields)))
