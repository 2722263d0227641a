"""Counts a session's assets and writes its statistics, once a tick."""

from shared.models.events import ProgressTick
from shared.services import progress
from shared.web.tasks import task_function

main = task_function("progress", ProgressTick, progress.tick)
