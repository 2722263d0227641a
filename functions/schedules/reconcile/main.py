"""Finds what got lost on the way, mends it and reports it."""

from shared.services import reconcile
from shared.web.tasks import schedule_function

main = schedule_function("reconcile", reconcile.run)
