"""Does one step of an export, reading assets and writing a part of the dataset."""

from shared.models.exports import ExportStep
from shared.services import exporting
from shared.web.tasks import task_function

main = task_function("exporting", ExportStep, exporting.build)
