"""Counts what happened in a project, once a minute at most, for analytics."""

from shared.models.analytics import RollupTask
from shared.services import rollups
from shared.web.tasks import task_function

main = task_function("rollups", RollupTask, rollups.count)
