"""What recognition costs stands on each file, however often and however long it is read."""

from typing import Any

import httpx
import pytest

from shared.models.assets import Asset
from shared.models.recognition import Unprocessable
from shared.services import budgets
from shared.services.intake import Claim
from shared.store import assets
from tests import material
from tests.conftest import Cloud
from tests.e2e.journey import assets_of, described, ended, new_session, read_again, send, start
from tests.emulators.waiting import until
from tests.functions.http.walking import made
from tests.queues import paused

LONG = 16
"""Pages that are read in a long operation."""


async def _taken(http: httpx.AsyncClient, session: dict[str, Any], path: str, content: bytes) -> str:
    """The id of a file whose bytes came."""
    job = await start(http, session["id"], [described(path, content)])
    (await send(job["files"][0]["upload"], content)).raise_for_status()
    return str(job["files"][0]["asset_id"])


async def _record(asset_id: str) -> Asset:
    found = await assets.get(asset_id)
    assert found is not None
    return found


async def _other(http: httpx.AsyncClient, session: dict[str, Any]) -> Claim:
    """Another document of the same project, which this process, as one more instance, is about to have read."""
    body = {"project_id": session["project_id"], "name": "other.png", "size": 1, "content_type": "image/png"}
    return Claim(await _record((await made(http, "/api/documents", **body))["id"]))


async def test_each_reading_is_paid_for_also_before_there_is_a_budget(http: httpx.AsyncClient) -> None:
    session = await new_session(http)
    asset_id = await _taken(http, session, "two.pdf", material.pdf(["One.", "Two."]))
    await ended(http, session["id"])
    (await http.post(f"/api/documents/{asset_id}/reprocess")).raise_for_status()
    await read_again(http, (await assets_of(http, session["id"]))["two.pdf"])
    limits = {"limits": {"monthly_pages": 5}}
    (await http.patch(f"/api/projects/{session['project_id']}", json=limits)).raise_for_status()

    other = await _other(http, session)
    with pytest.raises(Unprocessable):
        await budgets.spend(other, 2)
    await budgets.spend(other, 1)


async def test_what_a_long_operation_reads_is_spent_from_its_beginning_and_once(
    cloud: Cloud, http: httpx.AsyncClient
) -> None:
    session = await new_session(http, limits={"monthly_pages": 2 * LONG - 1})
    fault = {"method": "BatchedDocument", "code": "INTERNAL", "times": 1}
    (await http.post(f"{cloud.ports.url('documentai_control')}/_alta/faults", json=fault)).raise_for_status()
    with paused(cloud.ports, "operations"):
        asset_id = await _taken(http, session, "long.pdf", material.numbered_pdf(LONG))

        async def begun() -> bool:
            return (await _record(asset_id)).operation is not None

        await until(begun, every=0.1)
        other = await _other(http, session)
        with pytest.raises(Unprocessable):
            await budgets.spend(other, LONG)
    status = await ended(http, session["id"])

    assert status["errors"] == []
    found = await _record(asset_id)
    assert (found.attempts, found.spent, found.at_stake) == (2, LONG, 0)


async def test_what_can_not_be_read_costs_nothing(http: httpx.AsyncClient) -> None:
    session = await new_session(http, limits={"monthly_pages": 10})
    asset_id = await _taken(http, session, "torn.pdf", material.truncated_pdf())
    status = await ended(http, session["id"])

    assert [error["code"] for error in status["errors"]] == ["unreadable_content"]
    found = await _record(asset_id)
    assert (found.spent, found.at_stake) == (0, 0)
