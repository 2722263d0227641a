"""How fast a large project is exported, and in how much memory.

`python -m tests.bench.exports [--files 100000] [--formats jsonl parquet]`. A small project is exported first: what the
large one adds to the peak of the function's process is what grows with files. Exits with 1 when that is more than
`GROWTH_MIB`.
"""

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from emulators.cloud import LocalCloud
from emulators.ports import Ports
from emulators.state import State
from shared.models.exports import ExportFormat
from tests.bench import collected
from tests.bench.memory import peaks
from tests.own_cloud import running

WARM = 6_000
"""Files of the small project: more than one part."""
GROWTH_MIB = 64
"""What a part, its texts and the allocator may add after the first export."""
MIB = 2**20


@dataclass(frozen=True)
class Exported:
    """One export: rows, parts, bytes, seconds."""

    rows: int
    files: int
    size: int
    took: float


async def measure(files: int, formats: list[ExportFormat]) -> bool:
    """Measures and prints; whether memory stayed flat."""
    with tempfile.TemporaryDirectory(prefix="alta-exports-") as folder:
        cloud = LocalCloud(Ports.free(), State(Path(folder)), fresh=True, isolated=True)
        async with running(cloud), collected.manager(cloud) as http:
            small, large = [(await collected.project(http, count))["id"] for count in (WARM, files)]
            return all([await _measured(cloud, http, small, large, form) for form in formats])


async def _measured(cloud: LocalCloud, http: httpx.AsyncClient, small: str, large: str, form: ExportFormat) -> bool:
    await _exported(http, small, form)
    before = peaks()["exporting"]
    found = await _exported(http, large, form)
    after = peaks()["exporting"]
    print(
        f"{form}: {found.rows:,} rows in {found.files} files of {found.size / MIB:.1f} MiB, {found.took:.0f} s,"
        f" {found.rows / found.took:,.0f} rows a second; peak memory {before:.0f} MiB after {WARM:,} files,"
        f" {after:.0f} MiB after {found.rows:,} more",
        flush=True,
    )
    return after - before <= GROWTH_MIB


async def _exported(http: httpx.AsyncClient, project_id: str, form: ExportFormat) -> Exported:
    began = time.monotonic()
    body = {"project_id": project_id, "format": form}
    export = (await http.post("/api/exports", json=body)).raise_for_status().json()
    while export["state"] != "ready":
        await asyncio.sleep(1)
        export = (await http.get(f"/api/exports/{export['id']}")).raise_for_status().json()
    took = time.monotonic() - began
    files = (await http.get(f"/api/exports/{export['id']}/files")).raise_for_status().json()["items"]
    return Exported(export["rows"], len(files), sum(file["bytes"] for file in files), took)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.exports", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--files", type=int, default=100_000, help="files of the large project")
    formats = [ExportFormat.JSONL, ExportFormat.PARQUET]
    parser.add_argument("--formats", type=ExportFormat, nargs="+", default=formats, help="formats, one after the other")
    given = parser.parse_args()
    return 0 if asyncio.run(measure(given.files, given.formats)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
