"""Calls each job when it is due, or at once when asked; never twice at the same time.

Request headers: https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#HttpTarget.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from emulators.connections import Connections, Unreachable
from emulators.identity_tokens import identity_token
from emulators.scheduler.jobs import Job

log = logging.getLogger(__name__)

LONGEST_NAP = 60.0
"""Seconds after which the time of day is looked at again, since a machine that was suspended loses none of its naps."""


@dataclass(frozen=True, slots=True)
class Run:
    """One call of a job. `status` is the HTTP status of the answer, None when there was none, as `detail` tells."""

    scheduled_for: datetime
    status: int | None
    detail: str


class Timer:
    """One job with its clock. `now` and `sleep` are the real ones but in tests."""

    def __init__(
        self,
        job: Job,
        connections: Connections,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.job = job
        self.paused = False
        """Whether its times pass without a run; it still runs when asked."""
        self.next: datetime | None = None
        self.last: Run | None = None
        self._connections = connections
        self._now = now
        self._sleep = sleep
        self._alone = asyncio.Lock()

    async def keep(self) -> None:
        """Runs the job at its times, for ever. A time that passes while the job runs is skipped, as at Google."""
        while True:
            self.next = next(self.job.times(self._now()))
            while (wait := (self.next - self._now()).total_seconds()) > 0:
                await self._sleep(min(wait, LONGEST_NAP))
            if not self.paused:
                await self.run(self.next)

    async def run(self, scheduled_for: datetime | None = None) -> Run:
        """Runs the job now, after the run under way if there is one; returns what came of it."""
        async with self._alone:
            self.last = await self._call(scheduled_for or self._now())
        log.info("%s: %s %s", self.job.name, self.last.status, self.last.detail)
        return self.last

    async def _call(self, time: datetime) -> Run:
        headers = {
            "User-Agent": "Google-Cloud-Scheduler",
            "X-CloudScheduler": "true",
            "X-CloudScheduler-JobName": self.job.name,
            "X-CloudScheduler-ScheduleTime": time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        }
        if self.job.service_account:
            headers["Authorization"] = f"Bearer {identity_token(self.job.service_account, self.job.url)}"
        try:
            async with asyncio.timeout(self.job.attempt_deadline_seconds):
                answer = await self._connections.request("POST", self.job.url, headers, b"")
        except TimeoutError:
            return Run(time, None, f"no answer within {self.job.attempt_deadline_seconds:g} s")
        except Unreachable as error:
            return Run(time, None, str(error))
        return Run(time, answer.status, "")


@asynccontextmanager
async def ticking(
    jobs: list[Job],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[dict[str, Timer]]:
    """Timers of all jobs by name, running; at the end a call under way is broken off."""
    connections = Connections()
    timers = {job.name: Timer(job, connections, now, sleep) for job in jobs}
    running = [asyncio.create_task(timer.keep(), name=name) for name, timer in timers.items()]
    try:
        yield timers
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await connections.close()
