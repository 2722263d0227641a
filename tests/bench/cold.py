"""Cold start: how long a function takes from the start of its process to its first answer, and what it holds then.

`make bench-cold`, or `python -m tests.bench.cold [--runs N] [NAME ...]`. Each function runs as it is deployed: its zip,
in an environment of its own requirements and nothing else, served by the functions-framework. It is set against a bare
functions-framework function in the same environment that imports the same Google clients and answers "ok": what nobody
can avoid. Both start in turns, and the ratio is the median of those of the turns: the speed of a machine drifts, and
then does so for both.

Exits with 1 when a function takes more than `BUDGET` times as long as its bare counterpart.
"""

import argparse
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from emulators.ports import free_ports
from infra import package
from infra.catalog import Function
from infra.imports import reach
from tests import loopback
from tests.infra.standalone import ENVIRONMENT, START_LIMIT, asked, unpack

BUDGET = 1.3
"""How many times the bare function's time a function may take."""

MIB = 2**20

BARE = """\
import functions_framework.aio
{imports}

@functions_framework.aio.http
async def main(request):
    return "ok"
"""


@dataclass(frozen=True)
class Start:
    """One start: seconds to the first answer, seconds of CPU until then, MiB resident after it."""

    answer: float
    cpu: float
    memory: float


def clients(function: Function) -> list[str]:
    """The import statements of Google's clients that a function reaches."""
    statements = reach(function.folder / "main.py").statements
    return [one for one in statements if one.split()[1].startswith(("google.cloud", "firebase_admin"))]


def lay_out(function: Function, folder: Path) -> tuple[Path, Path]:
    """Unpacks a function, and writes its bare counterpart; gives the folders of their sources."""
    alone = unpack(package.write(function, folder), folder / function.name, compiled=True)
    bare = alone / "bare"
    bare.mkdir()
    (bare / "main.py").write_text(BARE.format(imports="\n".join(clients(function))))
    return alone / "source", bare


def start(source: Path, function: Function) -> Start:
    """Starts the function of a folder once and asks it once."""
    began = time.perf_counter()
    with _served(source) as (process, client):
        try:
            answer = _first_answer(function, client, process)
        except RuntimeError as error:
            error.add_note((source / "log").read_text())
            raise
        took = time.perf_counter() - began
        if answer.status_code >= 500:
            raise RuntimeError(f"{function.name} answered {answer.status_code}: {answer.text}")
        family = [process, *process.children(recursive=True)]
        spent = sum(sum(one.cpu_times()[:2]) for one in family)
        return Start(took, spent, sum(one.memory_info().rss for one in family) / MIB)


def import_time(source: Path) -> float:
    """Seconds that importing a folder's main.py takes in a fresh interpreter."""
    program = "import time; began = time.perf_counter(); import main; print(time.perf_counter() - began)"
    command = [str(source.parent / "venv" / "bin" / "python"), "-B", "-c", program]
    done = subprocess.run(command, cwd=source, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


@contextmanager
def _served(source: Path) -> Iterator[tuple[psutil.Process, httpx.Client]]:
    (port,) = free_ports(1)
    python = str(source.parent / "venv" / "bin" / "python")
    command = [python, "-B", "-m", "functions_framework", "--target=main", "--host=127.0.0.1", f"--port={port}"]
    with (source / "log").open("wb") as log:
        process = psutil.Popen(command, cwd=source, env=ENVIRONMENT, stdout=log, stderr=log)
    try:
        with loopback.blocking(f"http://127.0.0.1:{port}", timeout=START_LIMIT) as client:
            yield process, client
    finally:
        process.terminate()
        process.wait(START_LIMIT)


def _first_answer(function: Function, client: httpx.Client, process: psutil.Process) -> httpx.Response:
    limit = time.monotonic() + START_LIMIT
    while time.monotonic() < limit:
        try:
            return asked(function, client)
        except httpx.ConnectError:
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                break
            time.sleep(0.005)
    raise RuntimeError(f"{function.name} did not answer")


def measure(function: Function, runs: int, folder: Path) -> float:
    """Prints the line of one function; gives its ratio to the bare one."""
    ours, bare = lay_out(function, folder)
    starts: dict[Path, list[Start]] = {ours: [], bare: []}
    imports: dict[Path, list[float]] = {ours: [], bare: []}
    start(bare, function)  # warms the disk cache for both
    for _ in range(runs):
        for source in (ours, bare):
            starts[source].append(start(source, function))
            imports[source].append(import_time(source))
    answer = {source: statistics.median(one.answer for one in starts[source]) for source in starts}
    cpu = {source: statistics.median(one.cpu for one in starts[source]) for source in starts}
    memory = {source: statistics.median(one.memory for one in starts[source]) for source in starts}
    imported = {source: statistics.median(imports[source]) for source in imports}
    ratio = statistics.median(one.answer / other.answer for one, other in zip(starts[ours], starts[bare], strict=True))
    print(
        f"{function.name:14}{answer[ours]:7.2f}{answer[bare]:7.2f}{ratio:7.2f} |{cpu[ours]:7.2f}{cpu[bare]:7.2f} |"
        f"{imported[ours]:7.2f}{imported[bare]:7.2f} |{memory[ours]:7.0f}{memory[bare]:7.0f}",
        flush=True,
    )
    return ratio


def main(names: Iterable[str], runs: int) -> int:
    """Measures the functions; 1 when one is over the budget."""
    print(f"{'':14}{'first answer, s':>21} |{'CPU, s':>14} |{'import, s':>14} |{'memory, MiB':>14}")
    print(
        f"{'function':14}{'ours':>7}{'bare':>7}{'ratio':>7} |"
        + f"{'ours':>7}{'bare':>7} |" * 2
        + f"{'ours':>7}{'bare':>7}"
    )
    with tempfile.TemporaryDirectory(prefix="alta-cold-") as folder:
        ratios = {one.name: measure(one, runs, Path(folder)) for one in package.chosen(tuple(names))}
    slow = {name: round(ratio, 2) for name, ratio in ratios.items() if ratio > BUDGET}
    print(f"median ratio {statistics.median(ratios.values()):.2f}, highest {max(ratios.values()):.2f}, budget {BUDGET}")
    if slow:
        print(f"over the budget: {slow}")
    return 1 if slow else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cold", description=__doc__)
    parser.add_argument("name", nargs="*", help="functions to measure; all when none is named")
    parser.add_argument("--runs", type=int, default=5, help="turns, of which the median counts")
    given = parser.parse_args()
    raise SystemExit(main(given.name, given.runs))
