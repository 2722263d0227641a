"""Resource names: `projects/P/locations/L/queues/Q/tasks/T` and their rules.

The rules are those of `Queue.name` and `Task.name`:
https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks#Task.FIELDS.name
"""

import re

from emulators.tasks.refusals import InvalidArgument

_LOCATION = re.compile(r"projects/[A-Za-z0-9:.-]+/locations/[A-Za-z0-9-]+")
_QUEUE = re.compile(_LOCATION.pattern + r"/queues/[A-Za-z0-9-]{1,100}")
_TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,500}")


def location(name: str) -> str:
    """The name, if it is a location's; InvalidArgument otherwise."""
    if not _LOCATION.fullmatch(name):
        raise InvalidArgument('Location name must be formatted: "projects/<PROJECT_ID>/locations/<LOCATION_ID>".')
    return name


def queue(name: str) -> str:
    """The name, if it is a queue's; InvalidArgument otherwise."""
    if not _QUEUE.fullmatch(name):
        raise InvalidArgument(
            'Queue name must be formatted: "projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>".'
        )
    return name


def task(name: str) -> str:
    """The name, if it is a task's; InvalidArgument otherwise."""
    queue_name, separator, task_id = name.partition("/tasks/")
    if not separator:
        raise InvalidArgument(
            "Task name must be formatted: "
            '"projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>/tasks/<TASK_ID>".'
        )
    queue(queue_name)
    if not _TASK_ID.fullmatch(task_id):
        raise InvalidArgument(
            f'Task ID "{task_id}" can contain only letters ([A-Za-z]), numbers ([0-9]), hyphens (-), or '
            "underscores (_). Task ID must between 1 and 500 characters."
        )
    return name


def queue_of(task_name: str) -> str:
    """Name of the queue that a task name belongs to."""
    return task_name.partition("/tasks/")[0]


def short(name: str) -> str:
    """Last part of a name, as the request headers carry it."""
    return name.rpartition("/")[2]
