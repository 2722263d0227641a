"""Polls long recognitions and takes in their results."""

from shared.models.events import OperationPoll
from shared.services import operations
from shared.web.tasks import task_function

main = task_function("operations", OperationPoll, operations.look)
