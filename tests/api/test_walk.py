"""The walk of docs/walk.md: its blocks run as they stand, and no operation of the API is left out unsaid."""

import asyncio
import json
import os
import re
from pathlib import Path

from infra.catalog import ROOT
from infra.openapi import REFERENCE
from tests.conftest import Cloud

WALK = (ROOT / "docs" / "walk.md").read_text()
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", WALK, re.DOTALL | re.MULTILINE)
LIMIT = 240.0
"""Seconds; it takes about twenty on a machine that does nothing else."""

_CALL = re.compile(r'\bapi (GET|POST|PUT|PATCH|DELETE) "?(/[^\s"?)]*)')
_OPERATIONS = {
    operation["operationId"]: (method.upper(), path)
    for path, operations in json.loads(REFERENCE.read_text())["paths"].items()
    for method, operation in operations.items()
}


async def test_the_walk_is_true(cloud: Cloud, tmp_path: Path) -> None:
    script = tmp_path / "walk.sh"
    script.write_text("\n".join(["set -euo pipefail", *BLOCKS]))
    told = {"ALTA": cloud.url, "MAIL": cloud.ports.url("mail"), "NO_PROXY": "*"}
    process = await asyncio.create_subprocess_exec(
        "bash", "-x", str(script), cwd=ROOT, env={**os.environ, **cloud.environment, **told},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(process.communicate(), LIMIT)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, output.decode()[-3000:]


def _names(path: str, method: str) -> str | None:
    """The operation that a call means: of those that fit, the one that spells out most of the path."""
    shell = r"[^/]+"
    fitting = [
        (template.count("{"), name)
        for name, (known, template) in _OPERATIONS.items()
        if known == method and re.fullmatch(re.sub(r"\\{\w+\\}", shell, re.escape(template)), path)
    ]
    return min(fitting)[1] if fitting else None


def test_every_operation_is_on_the_way_or_has_a_reason_not_to_be() -> None:
    calls = {(path, method): _names(path, method) for block in BLOCKS for method, path in _CALL.findall(block)}
    walked = set(calls.values())
    excused = set(re.findall(r"`(\w+)`", WALK.partition("## Not on the way")[2]))
    assert [call for call, name in calls.items() if name is None] == []
    assert excused <= _OPERATIONS.keys()
    assert walked & excused == set()
    assert _OPERATIONS.keys() - walked - excused == set()
