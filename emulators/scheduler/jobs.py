"""What is to be called, and when: the jobs file, read and checked."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter


def _cron(expression: str) -> str:
    if len(expression.split()) != 5:
        raise ValueError("a unix-cron expression has five fields")
    try:
        CronSim(expression, datetime.now(UTC))
    except CronSimError as error:
        raise ValueError(str(error)) from error
    return expression


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("not a name of the tz database")
    return name


class Job(BaseModel):
    """One job: `url` is called by POST whenever `cron` says so in `time_zone`.

    The name's form and the deadlines are Cloud Scheduler's:
    https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#Job.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,500}$")]
    cron: Annotated[str, AfterValidator(_cron)]
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "Etc/UTC"
    url: Annotated[str, Field(pattern="^https?://")]
    service_account: Annotated[str | None, Field(description="E-mail in the identity token; unset: no token.")] = None
    attempt_deadline_seconds: Annotated[float, Field(ge=15, le=1800)] = 180

    def times(self, after: datetime) -> Iterator[datetime]:
        """When the job is due, in UTC, each later than the one before and than `after`.

        Around a change to or from summer time this is Debian's cron: a skipped hour is made up for, a repeated one
        counts once.
        """
        for time in CronSim(self.cron, after.astimezone(ZoneInfo(self.time_zone))):
            yield time.astimezone(UTC)


def read(path: Path) -> list[Job]:
    """The jobs of a file, a JSON list. Raises pydantic's ValidationError, or ValueError for a name used twice."""
    jobs = TypeAdapter(list[Job]).validate_json(path.read_bytes())
    if len({job.name for job in jobs}) < len(jobs):
        raise ValueError("two jobs have the same name")
    return jobs
