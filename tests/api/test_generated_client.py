"""A client that is generated from the reference, as a newcomer would: it has every operation, and works."""

import asyncio
import json
import os
from pathlib import Path

from infra.openapi import REFERENCE
from shared.models.identity import Role
from tests.conftest import Cloud
from tests.environments import environment
from tests.people import PASSWORD, join

GENERATOR = "openapi-python-client==0.29.1"
"""Stands in an environment of its own: it wants other versions of what the checkout is tested with."""
NEWCOMER = Path(__file__).with_name("newcomer.py")
LIMIT = 180.0


async def test_a_generated_client_walks_every_resource(cloud: Cloud, tmp_path: Path) -> None:
    python = await asyncio.to_thread(environment, tmp_path / "venv", GENERATOR)
    package = tmp_path / "alta_client"
    generator = str(Path(python).with_name("openapi-python-client"))
    await _run(
        generator, "generate", "--path", str(REFERENCE), "--output-path", str(package), "--meta", "none",
        PATH=f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}",
    )  # fmt: skip
    reference = json.loads(REFERENCE.read_text())
    operations = {one["operationId"] for methods in reference["paths"].values() for one in methods.values()}
    assert {path.stem for path in package.glob("api/*/*.py")} - {"__init__"} == operations
    operator = await join(cloud, None, Role.SUPER_ADMIN)

    walked = await _run(
        python, str(NEWCOMER), cloud.url, operator.user.email, PASSWORD, PYTHONPATH=str(tmp_path), NO_PROXY="*"
    )

    tags = {one["name"] for one in reference["tags"]}
    assert set(walked.partition(" of ")[2].strip().split(", ")) == tags


async def _run(*command: str, **more: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **more}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), LIMIT)
    assert process.returncode == 0, output.decode()[-3000:]
    return output.decode()
