"""Does one step of an erasure, removing documents and objects of what was deleted long ago."""

from shared.models.erasures import ErasureStep
from shared.services import erasing
from shared.web.tasks import task_function

main = task_function("erasing", ErasureStep, erasing.step)
