"""Has the last days of every project counted again, so that analytics is exact."""

from shared.services import rollups
from shared.web.tasks import schedule_function

main = schedule_function("recount", rollups.recount_all)
