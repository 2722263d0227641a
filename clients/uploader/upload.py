"""A run: from the files of a folder to objects in the storage.

Three stages work at the same time, joined by bounded queues, so that memory does not grow with the folder: one walks
and hashes (`check`), one announces what is new in manifest pages, and `jobs` workers send bytes (`transfer`).
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from clients.uploader.api import Client
from clients.uploader.check import Check, Checked
from clients.uploader.contract import FINAL, MANIFEST_LIMIT, FileError, Job, JobFile, ManifestFile, is_refused
from clients.uploader.errors import ApiError, FileProblem, FileRefused, NothingToUpload, UploaderError
from clients.uploader.events import FileFailed, FileUploaded, Observer, SessionOpened, Unchanged, UploadFinished
from clients.uploader.grants import Grants
from clients.uploader.hashing import HashedFile
from clients.uploader.journal import Run, TargetJournal
from clients.uploader.manifest import ManifestPage, entry_of, refused_in
from clients.uploader.transfer import Announced, Transfer
from clients.uploader.walk import Walk


@dataclass
class Outcome:
    """What a run did. Counts are files; `failures` are those that did not get to the storage.

    `session_id` is None when there was nothing new.
    """

    session_id: str | None = None
    job_id: str | None = None
    resumed: bool = False
    unchanged: int = 0
    uploaded: int = 0
    already_there: int = 0
    failures: list[FileError] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """Files among the failures that the platform does not take until they change."""
        return sum(failure["code"] == FileRefused.code for failure in self.failures)


class Upload:
    """One run for one target. Used once."""

    def __init__(
        self, client: Client, journal: TargetJournal, walk: Walk, *, name: str, jobs: int, observe: Observer
    ) -> None:
        """`name` is for a new session; `jobs` is how many files are sent at the same time."""
        self._client = client
        self._journal = journal
        self._name = name
        self._jobs = jobs
        self._observe = observe
        self._outcome = Outcome()
        self._run: Run | None = None
        self._announced_here = False
        self._grants = Grants(self._fresh_grants)
        self._check = Check(walk, journal, observe)
        # A whole page fits: the next one is signed while this one is sent.
        self._outbox: asyncio.Queue[Announced | None] = asyncio.Queue(MANIFEST_LIMIT)

    async def run(self) -> Outcome:
        """Uploads what is new. Raises `UploaderError` when the run can't go on; what was sent by then is recorded."""
        with self._journal.exclusive():
            await self._look_back()
            try:
                await self._stages()
            finally:
                self._check.stop()
                self._journal.flush()
            if self._run is not None and not self._journal.expected(self._run.session_id).pending:
                self._journal.finish(self._run.session_id)
        self._observe(UploadFinished())
        return self._outcome

    async def _look_back(self) -> None:
        """Goes on with the latest session if it is still open; forgets what a cancelled or removed one had."""
        latest = self._journal.latest_run()
        if latest is None:
            return
        session = await self._client.session(latest.session_id)
        if session is None or session["status"] == "cancelled":
            self._journal.forget_session(latest.session_id)
        elif latest.finished:
            return
        elif session["status"] in FINAL:
            self._journal.finish(latest.session_id)
        else:
            self._enter(latest, resumed=True)

    def _enter(self, run: Run, *, resumed: bool) -> None:
        self._run = run
        self._outcome.session_id, self._outcome.job_id, self._outcome.resumed = run.session_id, run.job_id, resumed
        self._observe(SessionOpened(run.session_id, resumed))

    async def _stages(self) -> None:
        backoff = self._client.backoff
        try:
            async with (
                Transfer(self._grants, self._journal, backoff, self._observe, self._jobs) as transfer,
                asyncio.TaskGroup() as stages,
            ):
                stages.create_task(self._count())
                stages.create_task(self._check.run(stages))
                stages.create_task(self._announce())
                for _ in range(self._jobs):
                    stages.create_task(self._send(transfer))
        except BaseExceptionGroup as group:
            # One stage failed and took the others with it: its error is the error of the run.
            raise _first(group) from None

    async def _count(self) -> None:
        self._observe(await self._check.count())

    # --- announce

    async def _announce(self) -> None:
        page = ManifestPage()
        found = False
        async for batch in self._check.batches():
            found = True
            self._left_out(batch)
            for file in batch.new:
                if page.full:
                    await self._post(page.files, last=False)
                    page = ManifestPage()
                page.add(file)
            if page.heavy:
                await self._post(page.files, last=False)
                page = ManifestPage()
        if not found:
            raise NothingToUpload("There is nothing to upload here.")
        await self._post(page.files, last=True)
        for _ in range(self._jobs):
            await self._outbox.put(None)

    def _left_out(self, batch: Checked) -> None:
        for item in batch.unusable:
            self._failed(item.path, 0, item.problem)
        for file in batch.refused:
            problem = FileRefused("The platform did not take this file before, and it has not changed since.")
            self._failed(file.path, file.size, problem)
        self._outcome.unchanged += len(batch.unchanged)
        self._observe(Unchanged(len(batch.unchanged), sum(file.size for file in batch.unchanged)))

    async def _post(self, page: Sequence[HashedFile], *, last: bool) -> None:
        files = {file.path: file for file in page}
        job = await self._offer([entry_of(file) for file in page], last=last)
        answers = job["files"] if job else []
        answered = [(files[answer["path"]], answer) for answer in answers if answer["path"] in files]
        if self._run is not None:
            self._journal.announced(self._run, answered, last=last)
        uris = self._journal.lookup([file.path for file, answer in answered if _is_resumable(answer)])
        for file, answer in answered:
            if is_refused(answer):
                problem = FileRefused("The platform does not take this file; the status of the session says why.")
                self._failed(file.path, file.size, problem)
                continue
            if answer["upload"] is None:
                self._outcome.already_there += 1
                self._observe(FileUploaded(file.path, file.size, sent=False))
                continue
            self._grants.add(answer["asset_id"], answer["upload"])
            uri = uris[file.path].resumable_uri if file.path in uris else None
            await self._outbox.put(Announced(file, answer["asset_id"], uri))

    async def _offer(self, entries: list[ManifestFile], *, last: bool) -> Job | None:
        """Announces files; those that the platform names as unacceptable are left out. None when none is left."""
        while entries := entries or (self._closing_entries() if last else []):
            try:
                return await self._announce_page(entries, last=last)
            except ApiError as error:
                refused = refused_in(error, entries)
                if not refused:
                    raise
                for entry in entries:
                    if entry["path"] in refused:
                        self._failed(entry["path"], entry["size"], refused[entry["path"]])
                entries = [entry for entry in entries if entry["path"] not in refused]
        return None

    def _closing_entries(self) -> list[ManifestFile]:
        # The platform waits for a last page, and a page holds at least one file: a known one is named once more.
        if self._run is None or self._run.manifest_complete:
            return []
        known = self._journal.any_of(self._run.session_id)
        return [entry_of(known)] if known else []

    async def _announce_page(self, entries: Sequence[ManifestFile], *, last: bool) -> Job:
        run = self._run or await self._begin()
        # The first page of a process is a start, also when an interrupted run goes on: a start is repeatable.
        if self._announced_here and run.job_id:
            job = await self._client.add_files(run.job_id, entries, expect_more=not last)
        else:
            job = await self._client.start(run.session_id, entries, expect_more=not last)
        self._announced_here = True
        self._outcome.job_id = job["job_id"]
        self._run = replace(run, job_id=job["job_id"], manifest_complete=last)
        return job

    async def _begin(self) -> Run:
        project, cycle = self._journal.place
        session = await self._client.create_session(project, cycle, self._name)
        run = self._journal.begin(session["id"])
        self._enter(run, resumed=False)
        return run

    # --- send

    async def _send(self, transfer: Transfer) -> None:
        while (announced := await self._outbox.get()) is not None:
            file = announced.file
            try:
                sent = await transfer.send(announced)
            except FileProblem as problem:
                self._failed(file.path, file.size, problem)
                continue
            self._journal.done(file.path)
            if sent:
                self._outcome.uploaded += 1
            else:
                self._outcome.already_there += 1
            self._observe(FileUploaded(file.path, file.size, sent=sent))

    async def _fresh_grants(self, asset_ids: Sequence[str]) -> Iterable[JobFile]:
        job = await self._client.fresh_urls(self._outcome.job_id or "", asset_ids)
        return job["files"]

    def _failed(self, path: str, size: int, problem: FileProblem) -> None:
        self._outcome.failures.append(FileError(path=path, code=problem.code, message=problem.message))
        self._observe(FileFailed(path, size, problem.code, problem.message))


def _is_resumable(answer: JobFile) -> bool:
    return answer["upload"] is not None and answer["upload"]["protocol"] == "resumable"


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            return _first(error)
        if isinstance(error, UploaderError):
            return error
    return group.exceptions[0]
