"""When a failed task is tried again, and when it is given up."""

from datetime import datetime, timedelta

from google.cloud.tasks_v2.types import RetryConfig, Task

from emulators.tasks.limits import MAX_RETENTION
from emulators.tasks.messages import moment, period

_ENOUGH_DOUBLINGS = 64
"""After so many doublings a microsecond has grown past every `max_backoff`; more would leave the range of a float."""


def backoff(config: RetryConfig, failures: int) -> timedelta:
    """Time to wait after the given number of failed attempts (1 or more).

    It starts at `min_backoff`, doubles `max_doublings` times, then grows linearly, and never exceeds `max_backoff`:
    10 s, 300 s and 3 doublings give 10, 20, 40, 80, 160, 240, 300, 300 s.
    https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#RetryConfig.FIELDS.max_doublings
    """
    doublings = min(failures - 1, config.max_doublings, _ENOUGH_DOUBLINGS)
    steps = failures - doublings
    seconds = period(config.min_backoff).total_seconds() * 2**doublings * steps
    return timedelta(seconds=min(seconds, period(config.max_backoff).total_seconds()))


def given_up(config: RetryConfig, task: Task, now: datetime) -> bool:
    """Whether a task that has just failed has used up both its attempts and its time; without limits, its retention.

    `max_attempts` and `max_retry_duration` must both be spent; a limit that is not set (-1, 0) counts as spent as
    long as the other one is set.
    """
    attempts, duration = config.max_attempts, period(config.max_retry_duration)
    if attempts == -1 and not duration:
        return now - moment(task.create_time) >= MAX_RETENTION
    attempts_spent = attempts == -1 or task.dispatch_count >= attempts
    return attempts_spent and now - moment(task.first_attempt.dispatch_time) >= duration
