"""`make chaos`: files go up in bad weather, and at the end the books balance.

CHAOS_SEED chooses the weather (printed; default: by the clock), CHAOS_SECONDS how long it lasts (default 60).
"""

import contextlib
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from clients.uploader import Client, Journal, Order, upload
from clients.uploader.contract import FINAL
from clients.uploader.errors import UploaderError
from emulators.cloud import LocalCloud
from emulators.ports import Ports
from emulators.state import State
from shared.models.assets import AssetSummary
from shared.settings import settings
from shared.store import assets, firestore, objects
from shared.store.firestore import Query
from tests import loopback, material
from tests.chaos.weather import Weather
from tests.emulators.waiting import until
from tests.own_cloud import all_run, running

SETTLED_WITHIN = 240
"""Seconds of good weather after which everything must be at its end: a lease, and Pub/Sub's longest back-offs met."""
FILES = 30
"""Files of each kind in a folder."""
UNDER_WAY = 6
"""Sessions that are not at their end, from which on no other is begun: recognition takes longer than uploading."""
ROOM_WITHIN = 600
"""Seconds of bad weather in which one of them comes to its end."""

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(0)]


async def test_the_books_balance_after_bad_weather(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = int(os.environ.get("CHAOS_SEED", time.time()))
    seconds = float(os.environ.get("CHAOS_SECONDS", "60"))
    print(f"\nCHAOS_SEED={seed} CHAOS_SECONDS={seconds:.0f}")
    cloud = LocalCloud(Ports.free(), State(tmp_path / "cloud"), isolated=True)
    async with running(cloud):
        await all_run(cloud)
        for name, value in cloud.environment.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        folders = await _upload_until(cloud, tmp_path, seed, time.monotonic() + seconds)
        for session_id, folder in folders.items():
            await _settled(cloud, session_id)
            await _balances(cloud, session_id, folder)


async def _upload_until(cloud: LocalCloud, tmp_path: Path, seed: int, end: float) -> dict[str, dict[str, bytes]]:
    """Uploads one folder after the other in bad weather; what was uploaded, by session."""
    folders: dict[str, dict[str, bytes]] = {}
    under_way: list[str] = []
    journal = Journal(tmp_path / "journal")
    weather = Weather(cloud, seed)
    async with Client(cloud.url) as client:
        await client.login("admin", "admin123")
        with weather:
            while time.monotonic() < end or not folders:
                await _make_room(cloud, client, under_way)
                place = tmp_path / f"folder-{len(folders)}"
                folder = _folder(place, len(folders))
                session_id = await _upload(client, journal, place)
                folders[session_id] = folder
                under_way.append(session_id)
    journal.close()
    print(f"{len(folders)} sessions; strokes: {dict(sorted(weather.strokes.items()))}")
    return folders


async def _make_room(cloud: LocalCloud, client: Client, under_way: list[str]) -> None:
    """Returns when few of these sessions are under way, without those at their end; `reconcile` runs meanwhile."""

    async def room() -> bool:
        if len(under_way) < UNDER_WAY:
            return True
        await _reconcile(cloud)
        for session_id in tuple(under_way):
            with contextlib.suppress(UploaderError):
                if (await client.status(session_id))["status"] in FINAL:
                    under_way.remove(session_id)
        return len(under_way) < UNDER_WAY

    await until(room, ROOM_WITHIN, every=3)


async def _reconcile(cloud: LocalCloud) -> None:
    async with loopback.client() as clock:
        with contextlib.suppress(httpx.TransportError):
            swept = await clock.post(f"{cloud.ports.url('internal')}/reconcile")
            assert swept.status_code in (204, 503), swept.text  # 503 on a busy machine: the clock comes again


def _folder(place: Path, number: int) -> dict[str, bytes]:
    folder = {f"table-{index}.csv": f"{number},{index}\n".encode() for index in range(FILES)}
    folder |= {f"page-{index}.png": material.picture("png", f"Folder {number}, page {index}.") for index in range(6)}
    folder["long.pdf"] = material.numbered_pdf(16)
    folder["reading.flac"] = material.speech("flac")
    place.mkdir()
    for name, content in folder.items():
        (place / name).write_bytes(content)
    return folder


async def _upload(client: Client, journal: Journal, place: Path) -> str:
    """The session of the folder, all of it sent; a run that the weather broke off goes on."""
    order = Order([place], "Chaos", create_project=True, wait=False)
    while True:
        try:
            result = await upload(client, order, journal=journal)
        except UploaderError as error:
            print(f"  the uploader goes on after: {error}")
            continue
        assert result.session_id is not None
        if not result.outcome.failures:
            return result.session_id


async def _settled(cloud: LocalCloud, session_id: str) -> None:
    """Good weather: `reconcile` finds what got lost, and the session comes to its end."""

    async def ended() -> bool:
        if (await _status(cloud, session_id))["status"] != "in_progress":
            return True
        await _reconcile(cloud)
        return False

    await until(ended, SETTLED_WITHIN, every=3)
    status = await _status(cloud, session_id)
    assert status["status"] == "completed", status


async def _status(cloud: LocalCloud, session_id: str) -> dict[str, Any]:
    async with Client(cloud.url) as client:
        await client.login("admin", "admin123")
        return dict(await client.status(session_id))


async def _balances(cloud: LocalCloud, session_id: str, folder: dict[str, bytes]) -> None:
    """Every file is in exactly one good final state, processed once, and the statistics equal the bucket."""
    found = await firestore.query(AssetSummary, Query(assets.ASSETS, where=(("session_id", "==", session_id),)))
    assert sorted(asset.path for asset in found) == sorted(folder)
    assert [(asset.path, asset.error) for asset in found if asset.state not in ("processed", "uploaded")] == []
    assert all(asset.settled and asset.uploaded and asset.lease is None for asset in found)
    described = {asset.path: await objects.description(asset.object_name) for asset in found}
    assert {path: one.size for path, one in described.items()} == {path: len(raw) for path, raw in folder.items()}
    assert {asset.path: asset.generation for asset in found} == {
        path: one.generation for path, one in described.items()
    }
    stats = (await _status(cloud, session_id))["stats"]
    assert stats["files_total"] == stats["files_uploaded"] == stats["files_processed"] == len(folder)
    assert stats["bytes_total"] == stats["bytes_uploaded"] == sum(map(len, folder.values()))
    await _recognised(cloud, found)


async def _recognised(cloud: LocalCloud, found: list[AssetSummary]) -> None:
    """The engines were given each file at least once, and again only where an attempt was cut off."""
    given: Counter[str] = Counter()
    async with loopback.client() as control:
        for engine in ("documentai_control", "speech_control"):
            given.update((await control.get(f"{cloud.ports.url(engine)}/_alta/counters")).json()["uris"])
    for asset in found:
        times = given[objects.uri(asset.object_name)]
        assert (1 <= times <= asset.attempts) if asset.kind != "file" else times == 0, (asset.path, times)
    again = sum(given[objects.uri(asset.object_name)] > 1 for asset in found)
    print(f"  {len(found)} files balance; {again} were given to an engine again after their function was killed")
