"""Sends the tasks of one queue when they are due, no faster and no more at a time than the queue allows.

Nothing polls: a dispatcher sleeps until its next task is due or its next token is there, and is woken when a task
arrives, an attempt ends or the queue changes.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import time

from google.cloud.tasks_v2.types import Attempt, Queue

from emulators.tasks.messages import RUNNING, note_response, timestamp
from emulators.tasks.retries import backoff, given_up
from emulators.tasks.sender import Outcome, Sender
from emulators.tasks.store import Store, StoredTask
from emulators.tasks.throttle import TokenBucket

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counters:
    """What a queue has done since the emulator started; `failed` counts attempts, `given_up` tasks."""

    dispatched: int = 0
    succeeded: int = 0
    failed: int = 0
    given_up: int = 0


class Dispatcher:
    """The running part of a queue; lives from the queue's creation, or the emulator's start, to its end.

    `tombstone_seconds` is how long the name of a task that is done stays taken.
    """

    def __init__(self, queue: Queue, store: Store, sender: Sender, tombstone_seconds: float) -> None:
        self.counters = Counters()
        self._queue = queue
        self._store = store
        self._sender = sender
        self._tombstone_seconds = tombstone_seconds
        self._bucket = TokenBucket(queue.rate_limits, time())
        self._attempts: set[asyncio.Task[None]] = set()
        self._awake = asyncio.Event()
        self._loop = asyncio.create_task(self._run(), name=queue.name)

    def configure(self, queue: Queue) -> None:
        """Takes over changed settings or a changed state."""
        self._queue = queue
        self._bucket.configure(queue.rate_limits)
        self.wake()

    def wake(self) -> None:
        """Looks for due tasks again: something has changed."""
        self._awake.set()

    async def stop(self) -> None:
        """Breaks off every attempt; its task is dispatched again if the queue comes back."""
        running = [self._loop, *self._attempts]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def dispatch(self, stored: StoredTask) -> None:
        """Starts an attempt, whatever the limits, and counts it in the task before the worker can see it."""
        now = datetime.now(UTC)
        task = stored.task
        task.dispatch_count += 1
        if "first_attempt" not in task:
            task.first_attempt = Attempt(dispatch_time=now)
        task.last_attempt = Attempt(schedule_time=task.schedule_time, dispatch_time=now)
        self._store.save(stored, leased=True)
        self.counters.dispatched += 1
        attempt = asyncio.create_task(self._attempt(stored))
        self._attempts.add(attempt)
        attempt.add_done_callback(self._ended)

    def _ended(self, attempt: asyncio.Task[None]) -> None:
        self._attempts.discard(attempt)
        self.wake()

    async def _run(self) -> None:
        while True:
            self._awake.clear()
            try:
                async with asyncio.timeout(self._dispatch_due()):
                    await self._awake.wait()
            except TimeoutError:
                continue

    def _dispatch_due(self) -> float | None:
        """Dispatches what may be; returns the seconds until there is more to do, None if only a wake-up brings it."""
        now = time()
        places = self._queue.rate_limits.max_concurrent_dispatches - len(self._attempts)
        if self._queue.state != RUNNING or places <= 0:
            return None
        allowed = min(places, self._bucket.available(now))
        due = self._store.due(self._queue.name, now, allowed) if allowed else []
        for stored in due:
            self._bucket.take()
            self.dispatch(stored)
        if len(due) == places:
            return None
        next_due = self._store.next_due(self._queue.name)
        return None if next_due is None else max(next_due - now, self._bucket.wait(now), 0)

    async def _attempt(self, sent: StoredTask) -> None:
        outcome = await self._sender.send(sent)
        if outcome.overloaded:
            self._bucket.slow_down()
        else:
            self._bucket.speed_up()
        if outcome.succeeded:
            self.counters.succeeded += 1
            self._bury(sent)
            return
        self.counters.failed += 1
        log.info("%s: attempt %d: %s", sent.task.name, sent.task.dispatch_count, outcome.detail)
        # Read again: it may have been deleted, or forced to run a second time, in the meantime.
        stored = self._store.task_by_id(sent.id)
        if stored:
            self._retry(stored, outcome)

    def _retry(self, stored: StoredTask, outcome: Outcome) -> None:
        task, now = stored.task, datetime.now(UTC)
        stored.previous_response = outcome.response
        if outcome.response:
            task.response_count += 1
            stored.executions += outcome.response < 500
        note_response(task.last_attempt, now, outcome.code, outcome.detail)
        config = task.retry_config if "retry_config" in task else self._queue.retry_config
        if given_up(config, task, now):
            log.warning("%s: given up after %d attempts", task.name, task.dispatch_count)
            self.counters.given_up += 1
            self._bury(stored)
            return
        pause = max(backoff(config, task.dispatch_count), timedelta(seconds=outcome.retry_after))
        task.schedule_time = timestamp(now + pause)
        self._store.save(stored, leased=False)

    def _bury(self, stored: StoredTask) -> None:
        now = time()
        self._store.bury(stored, now, now + self._tombstone_seconds)
