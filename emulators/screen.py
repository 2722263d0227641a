"""What the runner shows."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

from emulators import console as web_console
from emulators.cloud import LocalCloud

console = Console(highlight=False)


def say(line: str) -> None:
    """One line."""
    console.print(Text(line), soft_wrap=True)


@contextmanager
def running(cloud: LocalCloud) -> Iterator[None]:
    """The cloud, started and in the end stopped, and said so meanwhile."""
    try:
        with console.status("Starting the local cloud …"):
            cloud.start()
        yield
    finally:
        with console.status("Stopping the local cloud …"):
            cloud.stop()


def show(cloud: LocalCloud) -> None:
    """The table of addresses, and how long each part took to be there."""
    table = Table("Part", "Address", "Ready after", title="Alta, on this machine")
    for part, address in _addresses(cloud).items():
        ready = cloud.timings.get(part)
        table.add_row(part, address, f"{ready:.1f} s" if ready is not None else "")
    console.print(table)
    say(f"Ready in {cloud.timings['everything']:.1f} s. Sign in as admin with admin123; the API: {cloud.url}/docs")
    # By its name: passkeys are for domains, and an address of numbers is none.
    say(f"The console: http://localhost:{cloud.ports.gateway}{web_console.PATH}/")
    say(f"Logs: {cloud.state.folder / 'logs'}")


def _addresses(cloud: LocalCloud) -> dict[str, str]:
    ports = cloud.ports
    return {
        "functions": f"{ports.url('gateway')}  (events, tasks, schedules: {ports.url('internal')})",
        "firestore": ports.address("firestore"),
        "pubsub": ports.address("pubsub"),
        "auth": ports.url("auth"),
        "storage": ports.url("storage"),
        "tasks": f"{ports.address('tasks')}  (faults, counters: {ports.url('tasks_control')})",
        "documentai": f"{ports.address('documentai')}  (faults, counters: {ports.url('documentai_control')})",
        "speech": f"{ports.address('speech')}  (faults, counters: {ports.url('speech_control')})",
        "scheduler": ports.url("scheduler"),
        "mail": f"{ports.url('mail')}  (SMTP: {ports.address('smtp')})",
    }
