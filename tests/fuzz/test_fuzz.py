"""A few hundred generated requests; `make fuzz` makes as many as one likes."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from tests.conftest import Cloud
from tests.fuzz.requests import fuzz

COUNT = 600
"""Enough for each operation to have its turn, and for some chains."""


@pytest.mark.crowd
async def test_no_generated_request_breaks_the_platform_or_its_reference(cloud: Cloud) -> None:
    loop = asyncio.get_running_loop()

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    findings = await asyncio.to_thread(fuzz, cloud, COUNT, 20261121, run)
    assert findings.requests >= COUNT
    assert not findings.found, "\n".join(map(str, findings.found))
