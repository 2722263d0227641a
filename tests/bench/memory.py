"""What the functions of a local cloud hold at most, where each has a process of its own."""

from pathlib import Path

import psutil

from infra.catalog import functions

MIB = 2**20


def peaks() -> dict[str, float]:
    """MiB that the process of each function had resident at most, of the clouds that this process started."""
    sources = {f"{one.folder}/main.py": one.name for one in functions()}
    found: dict[str, float] = {}
    for process in psutil.Process().children(recursive=True):
        for argument in process.cmdline():
            name = sources.get(argument.removeprefix("--source="))
            if name is not None:
                found[name] = max(found.get(name, 0.0), _peak(process.pid))
    return found


def _peak(pid: int) -> float:
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024 / MIB
