"""The whole job in one call: a folder goes to a project, and the caller gets what became of it."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clients.uploader.api import Client
from clients.uploader.contract import OFFERED_AGAIN, Status
from clients.uploader.events import Observer, silent
from clients.uploader.follow import follow
from clients.uploader.journal import Journal, Target
from clients.uploader.upload import Outcome, Upload
from clients.uploader.walk import Selection, Walk

Paths = Sequence[str | os.PathLike[str]]


@dataclass(frozen=True)
class Order:
    """What to upload and where to.

    `project` and `cycle` are ids or names. `jobs` is how many files are sent at the same time; `hidden` takes in hidden
    files; `exclude` are glob patterns for names or relative paths; `again` sends also what earlier sessions got; `wait`
    stays until the platform has read everything.
    """

    paths: Paths
    project: str
    cycle: str = ""
    name: str = ""
    jobs: int = 8
    hidden: bool = False
    exclude: tuple[str, ...] = ()
    again: bool = False
    create_project: bool = False
    create_cycle: bool = False
    wait: bool = True


@dataclass(frozen=True)
class Result:
    """What became of an order.

    `session_id` is the session of this run or, when nothing was new, of the one before; None when there was none.
    `status` is None when nobody waited for it.
    """

    project_id: str
    session_id: str | None
    nothing_new: bool
    outcome: Outcome
    status: Status | None


async def upload(client: Client, order: Order, *, journal: Journal, observe: Observer = silent) -> Result:
    """Carries out an order with a signed-in client.

    Raises `UploaderError` when it can't go on; the same order goes on where it stopped.
    """
    client.observe = observe
    selection = Selection.of(order.paths)
    project = await client.project(order.project, create=order.create_project)
    cycle_id = ""
    if order.cycle:
        cycle_id = (await client.cycle(project["id"], order.cycle, create=order.create_cycle))["id"]
    target = journal.target(Target(client.server, project["id"], cycle_id, selection.key))
    before = target.latest_run()
    if order.again and (before is None or before.finished):
        target.forget()
    walk = Walk(selection, order.hidden, order.exclude)
    name = order.name or f"{selection.name[:150]} {datetime.now().astimezone():%Y-%m-%d %H:%M}"
    outcome = await Upload(client, target, walk, name=name, jobs=order.jobs, observe=observe).run()
    nothing_new = outcome.session_id is None
    session_id = outcome.session_id or (before.session_id if before else None)
    job_id = outcome.job_id or (before.job_id if before else None)
    status = (
        await settle(client, journal, session_id, job_id, observe) if order.wait and session_id and job_id else None
    )
    return Result(project["id"], session_id, nothing_new, outcome, status)


async def settle(client: Client, journal: Journal, session_id: str, job_id: str, observe: Observer) -> Status:
    """Waits for a session; lets the next run send again what got damaged on the way."""
    status = await follow(client, job_id, observe, journal.expected(session_id))
    for error in status["errors"]:
        if error["code"] in OFFERED_AGAIN:
            journal.again(session_id, error["path"])
    return status


def upload_folder(
    folder: str | os.PathLike[str],
    project: str,
    *,
    server: str = "",
    user: str = "",
    password: str = "",
    observe: Observer = silent,
    cycle: str = "",
    name: str = "",
    wait: bool = True,
    create_project: bool = False,
) -> Result:
    """Uploads a folder, from code that is not asynchronous.

    With `server`, `user` and `password` it signs in itself; without them it uses the sign-in that `alta login` keeps.
    """
    order = Order([folder], project, cycle=cycle, name=name, wait=wait, create_project=create_project)

    async def run() -> Result:
        journal = Journal()
        try:
            async with Client(server) if server else Client.signed_in() as client:
                if server:
                    await client.login(user, password)
                return await upload(client, order, journal=journal, observe=observe)
        finally:
            journal.close()

    return asyncio.run(run())
