"""The command line `alta`.

Exit codes: 0 all well; 1 some file failed, or the run broke off; 2 it could not begin; 130 Ctrl-C.
"""

import asyncio
import os
import sqlite3
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from clients.uploader import report
from clients.uploader.api import Client
from clients.uploader.auth import LoginFile
from clients.uploader.contract import FINAL, Status
from clients.uploader.display import Display, display, printable
from clients.uploader.errors import ApiError, UnknownName, UploaderError
from clients.uploader.folder import Order, Result, settle, upload
from clients.uploader.journal import Journal
from clients.uploader.results import FileResult, results
from clients.uploader.upload import Outcome

T = TypeVar("T")

FAILED, UNUSABLE, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    help="Sends documents and recordings to Alta, and shows what was read.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_news = Console(stderr=True, highlight=False)
_paper = Console(highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]
ShowText = Annotated[bool, typer.Option("--show-text", help="Print the whole text of each file.")]


@app.command()
def login(
    server: Annotated[
        str, typer.Option(envvar="ALTA_SERVER", help="Address of the platform.")
    ] = "http://127.0.0.1:8000",
    user: Annotated[str, typer.Option(envvar="ALTA_USER", help="User name or e-mail; asked for when missing.")] = "",
) -> None:
    """Sign in. The password comes from ALTA_PASSWORD, a prompt, or the first line of standard input."""
    name = user or (typer.prompt("User name or e-mail", err=True) if sys.stdin.isatty() else "")
    if not name:
        _give_up("Name the user with --user.")

    _run(_sign_in(server, name, _password()))
    _say(f"Signed in to {server} as {name}.")


async def _sign_in(server: str, user: str, password: str) -> None:
    async with Client(server) as client:
        LoginFile().save(await client.login(user, password))


@app.command()
def logout() -> None:
    """Forget the sign-in of this machine."""
    _say("Signed out." if LoginFile().remove() else "Nobody was signed in.")


@app.command("upload")
def upload_command(
    paths: Annotated[list[Path], typer.Argument(metavar="DIR", help="A folder, or files.", exists=True)],
    project: Annotated[str, typer.Option(help="Id or name of the project.")],
    cycle: Annotated[str, typer.Option(help="Id or name of a cycle of the project.")] = "",
    name: Annotated[str, typer.Option(help="Name of the session; the folder's and the time when missing.")] = "",
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Files sent at the same time.")] = 8,
    exclude: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Leave these out; repeatable.")] = None,
    *,
    hidden: Annotated[bool, typer.Option("--hidden", help="Take hidden files too.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Send also what earlier sessions got.")] = False,
    create_project: Annotated[bool, typer.Option("--create-project", help="Make the project when missing.")] = False,
    create_cycle: Annotated[bool, typer.Option("--create-cycle", help="Make the cycle when missing.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Leave once everything is uploaded.")] = False,
    show_text: ShowText = False,
    as_json: AsJson = False,
) -> None:
    """Upload what is new in a folder, wait until it is read, and show the results."""
    order = Order(
        paths,
        project,
        cycle,
        name,
        jobs,
        hidden,
        tuple(exclude or ()),
        again,
        create_project,
        create_cycle,
        not no_wait,
    )
    with display(_news) as shown:
        result, files = _run(_carry_out(order, shown, show_text=show_text), shown)
    _finish(result, files, show_text=show_text, as_json=as_json)


async def _carry_out(order: Order, shown: Display, *, show_text: bool) -> tuple[Result, list[FileResult]]:
    journal = Journal()
    try:
        async with Client.signed_in() as client:
            result = await upload(client, order, journal=journal, observe=shown)
            files: list[FileResult] = []
            if result.session_id and result.status:
                files = await results(client, journal, result.session_id, result.status, whole_text=show_text)
            return result, files
    finally:
        journal.close()


def _finish(result: Result, files: list[FileResult], *, show_text: bool, as_json: bool) -> NoReturn:
    outcome, status = result.outcome, result.status
    if as_json:
        sys.stdout.write(report.as_json(result, files) + "\n")
    else:
        _show(result.session_id or "", status, files, show_text=show_text)
    if result.nothing_new:
        _say(f"Nothing new: {outcome.unchanged} unchanged.")
    else:
        _say(f"{outcome.uploaded} uploaded, {outcome.already_there} there before, {outcome.unchanged} unchanged.")
    _say_what_failed(outcome)
    went_wrong = status is not None and not result.nothing_new and _went_wrong(status)
    raise typer.Exit(FAILED if outcome.failures or went_wrong else 0)


def _say_what_failed(outcome: Outcome) -> None:
    once_more = len(outcome.failures) - outcome.refused
    if once_more:
        _say(f"{once_more} could not be uploaded; run the same command again to try them once more.")
    if outcome.refused:
        _say(f"{outcome.refused} refused by the platform; change them, or leave them out with --exclude.")


@app.command()
def status(
    session: Annotated[str, typer.Argument(help="Id of the session; the latest of this machine when missing.")] = "",
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Stay until it is finished.")] = False,
    show_text: ShowText = False,
    as_json: AsJson = False,
) -> None:
    """Show where a session stands."""
    with display(_news) as shown:
        session_id, found, files = _run(_look(session, shown, watch=watch, show_text=show_text))
    if as_json:
        sys.stdout.write(report.status_as_json(session_id, found, files) + "\n")
    else:
        _show(session_id, found, files, show_text=show_text)
    raise typer.Exit(FAILED if found["status"] in FINAL and _went_wrong(found) else 0)


async def _look(session: str, shown: Display, *, watch: bool, show_text: bool) -> tuple[str, Status, list[FileResult]]:
    journal = Journal()
    try:
        async with Client.signed_in() as client:
            client.observe = shown
            session_id, job_id = _job(journal, client.server, session)
            if watch:
                found = await settle(client, journal, session_id, job_id, shown)
            else:
                found = await client.status(job_id)
            files = await results(client, journal, session_id, found, whole_text=show_text)
            return session_id, found, files
    finally:
        journal.close()


@app.command()
def cancel(session: Annotated[str, typer.Argument(help="Id of the session.")]) -> None:
    """Stop a session: what has not begun is not done any more."""

    async def stop() -> None:
        journal = Journal()
        try:
            async with Client.signed_in() as client:
                session_id, job_id = _job(journal, client.server, session)
                await client.cancel(job_id)
                journal.forget_session(session_id)
        finally:
            journal.close()

    _run(stop())
    _say(f"Session {session} is cancelled.")


def _job(journal: Journal, server: str, session: str) -> tuple[str, str]:
    """Ids of the session and its job. A session of another machine shares its id with its job."""
    run = journal.run(session) if session else journal.latest_run(server)
    if run is None and not session:
        raise UnknownName("No session was begun on this machine; name one.")
    return (run.session_id, run.job_id or run.session_id) if run else (session, session)


def _show(session_id: str, status: Status | None, files: list[FileResult], *, show_text: bool) -> None:
    if files:
        report.show_table(_paper, files)
    if show_text:
        report.show_texts(_paper, files)
    if status is not None:
        report.show_statistics(_paper, session_id, status)


def _went_wrong(status: Status) -> bool:
    return status["status"] != "completed" or status["stats"]["files_failed"] > 0


def _password() -> str:
    given = os.environ.get("ALTA_PASSWORD")
    if given:
        return given
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def _run(work: Coroutine[object, object, T], shown: Display | None = None) -> T:
    """Runs the work; an error or Ctrl-C becomes a line and an exit code."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        _say("Interrupted. Run the same command again to go on where it stopped.")
        raise typer.Exit(INTERRUPTED) from None
    except (OSError, sqlite3.Error) as error:
        _give_up(f"What alta keeps on this machine can't be read or written: {error}.")
    except UploaderError as error:
        request = f", request {error.request_id}" if isinstance(error, ApiError) and error.request_id else ""
        _say(f"{error.message} ({error.code}{request})", "red")
        if shown is None or shown.tally.session_id is None:
            raise typer.Exit(UNUSABLE) from None
        _say("Run the same command again to go on where it stopped.")
        raise typer.Exit(FAILED) from None


def _say(line: str, style: str = "") -> None:
    _news.print(Text(printable(line), style), soft_wrap=True)


def _give_up(line: str) -> NoReturn:
    _say(line, "red")
    raise typer.Exit(UNUSABLE)
