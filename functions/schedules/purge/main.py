"""Begins, every night, to erase what was deleted longer ago than it can be restored."""

from shared.services import purging
from shared.web.tasks import schedule_function

main = schedule_function("purge", purging.run)
