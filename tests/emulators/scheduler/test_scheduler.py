"""The scheduler: when jobs run, what they are sent, and running one at once."""

import asyncio
import base64
import json
import signal
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from pydantic import ValidationError

from emulators.scheduler.clock import ticking
from emulators.scheduler.door import door
from emulators.scheduler.jobs import Job, read
from emulators.serving import serving
from tests import loopback
from tests.emulators.program import assert_stops_cleanly, ready, started
from tests.emulators.worker import Worker


def job(url: str = "http://127.0.0.1:1/", cron: str = "0 3 * * *", **more: str) -> Job:
    return Job.model_validate({"name": "purge", "cron": cron, "url": url, **more})


class Time:
    """A clock that is moved on by whoever sleeps; after `naps` sleeps it stands still."""

    def __init__(self, start: str, naps: int) -> None:
        self.time = datetime.fromisoformat(start)
        self._naps = naps

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        if self._naps == 0:
            await asyncio.Event().wait()
        self._naps -= 1
        self.time += timedelta(seconds=seconds)


async def test_a_job_is_called_at_each_of_its_times(worker: Worker) -> None:
    time = Time("2026-03-01T02:58:30+00:00", naps=2 + 1 + 1)

    async with ticking([job(worker.url, cron="*/1 3 * * *")], time.now, time.sleep):
        received = await worker.requests(3)

    times = [request.headers["X-CloudScheduler-ScheduleTime"] for request in received]
    assert times == ["2026-03-01T03:00:00Z", "2026-03-01T03:01:00Z", "2026-03-01T03:02:00Z"]


async def test_a_time_that_passes_while_the_job_runs_is_skipped(worker: Worker) -> None:
    time = Time("2026-03-01T00:00:00+00:00", naps=2)
    worker.open.clear()

    async with ticking([job(worker.url, cron="* * * * *")], time.now, time.sleep):
        await worker.requests(1)
        time.time += timedelta(minutes=5)
        worker.open.set()
        received = await worker.requests(2)

    assert received[1].headers["X-CloudScheduler-ScheduleTime"] == "2026-03-01T00:07:00Z"


async def test_a_paused_job_runs_only_when_it_is_asked(worker: Worker) -> None:
    time = Time("2026-03-01T00:00:00+00:00", naps=3)

    async with ticking([job(worker.url, cron="* * * * *")], time.now, time.sleep) as timers:
        timers["purge"].paused = True
        asked = await timers["purge"].run()

    assert time.now().minute == 3
    assert (asked.status, len(worker.received)) == (200, 1)


async def test_a_call_is_what_cloud_scheduler_would_send(worker: Worker) -> None:
    account = "clock@alta-test.iam.gserviceaccount.com"
    url = f"{worker.url}/purge"
    async with ticking([job(url, service_account=account)]) as timers:
        await timers["purge"].run()

    [received] = await worker.requests(1)
    claims = json.loads(base64.urlsafe_b64decode(received.headers["Authorization"].split(".")[1] + "=="))
    assert (received.method, received.path, received.body) == ("POST", "/purge", b"")
    assert received.headers["User-Agent"] == "Google-Cloud-Scheduler"
    assert received.headers["X-CloudScheduler"] == "true"
    assert received.headers["X-CloudScheduler-JobName"] == "purge"
    assert (claims["email"], claims["aud"]) == (account, url)


async def test_a_job_never_runs_twice_at_the_same_time(worker: Worker) -> None:
    worker.open.clear()
    async with ticking([job(worker.url)]) as timers:
        runs = asyncio.gather(timers["purge"].run(), timers["purge"].run())
        await worker.requests(1)
        worker.open.set()
        await runs

    assert (len(worker.received), worker.peak) == (2, 1)


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("0 3 * * *", "Etc/UTC", "2026-01-31T03:00:00+00:00", "2026-02-01T03:00:00+00:00"),
        ("0 3 * * *", "Europe/Berlin", "2026-01-31T00:00:00+00:00", "2026-01-31T02:00:00+00:00"),
        ("0 3 * * *", "Europe/Berlin", "2026-07-31T00:00:00+00:00", "2026-07-31T01:00:00+00:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00+00:00", "2026-03-29T01:00:00+00:00"),  # no 02:30 that day
        ("*/15 9-17 * * MON-FRI", "Etc/UTC", "2026-01-30T17:45:00+00:00", "2026-02-02T09:00:00+00:00"),
        ("0 0 29 2 *", "Etc/UTC", "2026-01-01T00:00:00+00:00", "2028-02-29T00:00:00+00:00"),
    ],
)
def test_times_follow_the_expression_and_the_time_zone(cron: str, zone: str, after: str, expected: str) -> None:
    found = next(job(cron=cron, time_zone=zone).times(datetime.fromisoformat(after)))

    assert found == datetime.fromisoformat(expected)
    assert found.tzinfo is UTC


def test_an_hour_that_comes_twice_counts_once() -> None:
    times = islice(job(cron="30 2 * * *", time_zone="Europe/Berlin").times(datetime(2026, 10, 24, 12, tzinfo=UTC)), 2)

    assert [time.date().day for time in times] == [25, 26]


@pytest.mark.parametrize(
    "wrong",
    [
        {"cron": "* * * *"},
        {"cron": "* * * * * *"},
        {"cron": "61 * * * *"},
        {"time_zone": "Mars/Olympus"},
        {"url": "ftp://host/"},
        {"name": "a b"},
        {"every": "minute"},
    ],
)
def test_a_job_that_makes_no_sense_is_refused_at_the_start(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Job.model_validate({"name": "purge", "cron": "0 3 * * *", "url": "http://127.0.0.1:1/"} | wrong)


def test_two_jobs_of_the_same_name_are_refused_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "jobs.json"
    file.write_text(json.dumps([job().model_dump()] * 2))

    with pytest.raises(ValueError, match="same name"):
        read(file)


async def test_a_job_can_be_run_at_once_and_tells_what_came_of_it(worker: Worker) -> None:
    worker.fail(500)
    async with (
        ticking([job(worker.url)]) as timers,
        serving(door(timers), "127.0.0.1", 0) as port,
        loopback.client(f"http://127.0.0.1:{port}") as client,
    ):
        failed = (await client.post("/jobs/purge:run")).json()
        done = (await client.post("/jobs/purge:run")).json()
        missing = await client.post("/jobs/nothing:run")
        [listed] = (await client.get("/jobs")).json()["jobs"]

    assert (failed["status"], done["status"], missing.status_code) == (500, 200, 404)
    assert listed["last"] == done
    assert datetime.fromisoformat(listed["next"]) > datetime.now(UTC)


async def test_a_job_whose_function_is_down_says_so() -> None:
    async with ticking([job("http://127.0.0.1:1/")]) as timers:
        run = await timers["purge"].run()

    assert run.status is None
    assert "ConnectionRefusedError" in run.detail


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_signal_ends_it_cleanly_and_it_prints_nothing_but_logs(
    tmp_path: Path, unused_tcp_port: int, number: signal.Signals
) -> None:
    file = tmp_path / "jobs.json"
    file.write_text(json.dumps([job().model_dump()]))

    async with started("emulators.scheduler", "--port", unused_tcp_port, "--jobs", file) as process:
        await ready(unused_tcp_port)
        await assert_stops_cleanly(process, number)
