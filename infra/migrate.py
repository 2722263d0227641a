"""Runs the data migrations that did not run yet, in their order: `python -m infra.migrate [--dry-run] [--to N]`.

Reads the environment of a function, as `infra.super_admin` does. A collection is walked by id in batches; what changes
of a batch, how far the walk is, and the lease on it are one commit. So it may be killed at any moment and run again,
which goes on where it stopped; two at once do not get in each other's way, since one of them is refused; and what
somebody else writes meanwhile is never written over, since each document is only changed as it was read.

What ran is in the collection `migrations`: when, how much, and the checksum of the file.
"""

import argparse
import asyncio
import hashlib
import importlib.util
import os
import re
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import ConfigDict

from infra.catalog import ROOT
from shared.models.records import Moment, Record, now
from shared.store import firestore
from shared.store.firestore import Conflict, Query, Write

FOLDER = ROOT / "infra" / "migrations"
MIGRATIONS = "migrations"
LEASE = timedelta(minutes=2)
"""How long a run that was killed keeps the next one out; every batch renews it."""
BATCH = 250
"""Documents that are read, and at most written, at a time: with their fields well below a commit's 10 MiB."""
SHOWN = 20
"""Changes of one migration that a dry run shows."""

_FILE = re.compile(r"^(\d{4})_([a-z0-9_]+)\.py$")

Say = Callable[[str], object]
Fields = Mapping[str, Any]


class MigrationError(Exception):
    """A migration that can't be run; the message says why and what to do."""


class Stored(Record):
    """A document with whatever fields it has."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Ran(Record):
    """What is known of a migration that was begun; the id is the name of its file."""

    checksum: str
    runner: str
    """Who runs it, or ran it last."""
    leased_until: Moment
    collection: str
    """Which of its collections the walk is in."""
    position: str = ""
    """The last document of that collection that was looked at."""
    looked_at: int = 0
    changed: int = 0
    finished_at: Moment | None = None


@dataclass(frozen=True)
class Migration:
    """One file."""

    id: str
    number: int
    description: str
    collections: tuple[str, ...]
    fields: tuple[str, ...]
    """What is read of each document."""
    change: Callable[[Fields], Fields]
    checksum: str


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """All of them, in their order. Raises MigrationError when two have one number."""
    found = [_loaded(path) for path in sorted(folder.glob("[0-9]*.py"))]
    if len({one.number for one in found}) < len(found):
        raise MigrationError(f"Two migrations in {folder} have the same number.")
    return found


def _loaded(path: Path) -> Migration:
    named = _FILE.match(path.name)
    spec = importlib.util.spec_from_file_location(f"migration_{path.stem}", path)
    if not named or spec is None or spec.loader is None:
        raise MigrationError(f"{path.name} is not named NNNN_name.py.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Migration(
        id=path.stem,
        number=int(named[1]),
        description=(module.__doc__ or "").strip(),
        collections=tuple(module.COLLECTIONS),
        fields=tuple(module.FIELDS),
        change=module.change,
        checksum=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


async def pending(known: Sequence[Migration]) -> list[Migration]:
    """Those that did not finish yet; one read for each. Raises MigrationError when one that did is another now."""
    ran = await firestore.get_many(Ran, [f"{MIGRATIONS}/{one.id}" for one in known])
    finished = {name: record for name, record in ran.items() if record.finished_at is not None}
    for one in known:
        if one.id in finished and finished[one.id].checksum != one.checksum:
            raise MigrationError(f"{one.id} has run and was edited since: take that back, and write a new migration.")
    return [one for one in known if one.id not in finished]


# --- looking


async def preview(migration: Migration, say: Say) -> int:
    """Says what the migration would change, and writes nothing; how many documents."""
    found = 0
    for collection in migration.collections:
        async for documents in _walk(migration, collection):
            for document in documents:
                fields = migration.change(_fields(document))
                found += bool(fields)
                if fields and found <= SHOWN:
                    say(f"  {collection}/{document.id}: {dict(fields)}")
    return found


async def _walk(migration: Migration, collection: str) -> AsyncIterator[list[Stored]]:
    position = ""
    while documents := await _after(migration, collection, position, BATCH):
        yield documents
        position = documents[-1].id


async def _after(migration: Migration, collection: str, position: str, size: int) -> list[Stored]:
    start = (position,) if position else None
    fields = ("created_at", "updated_at", *migration.fields)
    asked = Query(collection, order=("__name__",), limit=size, start_after=start, select=fields)
    return await firestore.query(Stored, asked)


def _fields(document: Stored) -> Fields:
    return document.model_dump(include=document.model_fields_set)


# --- running


async def run(migration: Migration, say: Say) -> Ran:
    """Runs a migration, or goes on with it; what is known of it at the end.

    Raises MigrationError while somebody else runs it.
    """
    runner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    record, size = await _begun(migration, runner), BATCH
    while record.finished_at is None:
        documents = await _after(migration, record.collection, record.position, size)
        writes = [_written(migration, record.collection, document) for document in documents]
        changes = [write for write in writes if write is not None]
        progress = _progress(migration, record, documents, len(changes))
        try:
            version = await firestore.commit(*changes, _kept(record, progress))
        except Conflict:
            # A document was written meanwhile, and is read again; in smaller batches, which fewer people write to.
            record, size = await _still_mine(migration, runner), max(1, size // 2)
            continue
        record, size = record.model_copy(update={**progress, "version": version}), BATCH
        say(f"  {record.collection}: {record.looked_at:,} looked at, {record.changed:,} changed")
    return record


async def _begun(migration: Migration, runner: str) -> Ran:
    """The migration's record, with a lease on it for this runner."""
    moment = now()
    record = await firestore.get(Ran, f"{MIGRATIONS}/{migration.id}")
    if record is not None and record.leased_until > moment:
        raise MigrationError(f"{migration.id} is being run by {record.runner}, until {record.leased_until} at least.")
    leased = {"runner": runner, "leased_until": moment + LEASE, "checksum": migration.checksum}
    if record is None or record.checksum != migration.checksum:  # an unfinished one that was edited begins anew
        fresh = {"id": migration.id, "created_at": moment, "updated_at": moment, "collection": migration.collections[0]}
        begun = Ran.model_validate(fresh | leased)
    else:
        begun = record.model_copy(update=leased)
    try:
        version = await firestore.commit(_kept(record, begun.model_dump(exclude={"id"}), migration.id))
    except Conflict:
        raise MigrationError(f"Somebody else has begun with {migration.id} at this moment.") from None
    return begun.model_copy(update={"version": version})


async def _still_mine(migration: Migration, runner: str) -> Ran:
    record = await firestore.get(Ran, f"{MIGRATIONS}/{migration.id}")
    if record is None or record.runner != runner:
        raise MigrationError(f"Somebody else has gone on with {migration.id}: this run was too slow.")
    return record


def _written(migration: Migration, collection: str, document: Stored) -> Write | None:
    """The change of a document, if it still is as it was read."""
    fields = migration.change(_fields(document))
    if not fields:
        return None
    return Write(f"{collection}/{document.id}", fields, mask=tuple(fields), version=document.version)


def _progress(migration: Migration, record: Ran, documents: Sequence[Stored], changed: int) -> dict[str, Any]:
    """How far it is after a batch; a collection without more documents leads to the next, or to the end."""
    moment = now()
    fields: dict[str, Any] = {"updated_at": moment, "leased_until": moment + LEASE}
    fields |= {"looked_at": record.looked_at + len(documents), "changed": record.changed + changed}
    if documents:
        return fields | {"position": documents[-1].id}
    following = migration.collections[migration.collections.index(record.collection) + 1 :]
    if following:
        return fields | {"collection": following[0], "position": ""}
    return fields | {"finished_at": moment, "leased_until": moment}


def _kept(record: Ran | None, fields: Fields, migration_id: str = "") -> Write:
    """Writes these fields of the record, if it still is what was read; None was not there."""
    if record is None:
        return Write(f"{MIGRATIONS}/{migration_id}", fields, exists=False)
    return Write(f"{MIGRATIONS}/{record.id}", fields, mask=tuple(fields), version=record.version)


async def migrate(folder: Path, to: int | None, say: Say, *, is_dry: bool) -> None:
    """Runs, or shows, what did not run yet, up to this number."""
    chosen = [one for one in migrations(folder) if to is None or one.number <= to]
    waiting = await pending(chosen)
    if not waiting:
        say("Every migration has run.")
    for one in waiting:
        say(f"{one.id}: {one.description}")
        if is_dry:
            say(f"  {await preview(one, say):,} documents would change.")
        else:
            await run(one, say)


def main() -> int:
    """The command line; 1 when a migration can't be run."""
    parser = argparse.ArgumentParser(prog="python -m infra.migrate", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and write nothing")
    parser.add_argument("--to", type=int, metavar="N", help="stop after migration number N")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the migrations are")
    given = parser.parse_args()

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    try:
        asyncio.run(migrate(given.folder, given.to, say, is_dry=given.dry_run))
    except MigrationError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
