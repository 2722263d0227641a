"""google.cloud.tasks.v2.CloudTasks: the calls, each checked as Google checks it.

Descriptions of the calls: https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2.
"""

import base64
import secrets
from datetime import UTC, datetime
from time import time

from google.cloud.tasks_v2.types import (
    CreateQueueRequest,
    CreateTaskRequest,
    DeleteQueueRequest,
    DeleteTaskRequest,
    GetQueueRequest,
    GetTaskRequest,
    HttpMethod,
    ListQueuesRequest,
    ListQueuesResponse,
    ListTasksRequest,
    ListTasksResponse,
    PauseQueueRequest,
    PurgeQueueRequest,
    Queue,
    ResumeQueueRequest,
    RunTaskRequest,
    Task,
    UpdateQueueRequest,
)
from google.protobuf import empty_pb2

from emulators.tasks import names
from emulators.tasks.dispatcher import Dispatcher
from emulators.tasks.limits import DEFAULT_DEADLINE, MAX_SCHEDULE_AHEAD, check_task, complete_queue, completed_retries
from emulators.tasks.messages import BASIC, PAUSED, RUNNING, duration, moment, timestamp
from emulators.tasks.refusals import AlreadyExists, InvalidArgument, NotFound, Unimplemented
from emulators.tasks.sender import Sender
from emulators.tasks.store import Store, StoredTask

QUEUE_PAGE = 9800
"""Most queues, and the default number, in one ListQueues answer."""
TASK_PAGE = 1000
"""Most tasks, and the default number, in one ListTasks answer."""


class CloudTasks:
    """The service: queues in a store, and a dispatcher for each. Every call raises a `Refused` for what it refuses.

    `tombstone_seconds` is how long the name of a task that is done or deleted stays taken.
    """

    def __init__(self, store: Store, sender: Sender, tombstone_seconds: float) -> None:
        self.dispatchers: dict[str, Dispatcher] = {}
        self.store = store
        self._sender = sender
        self._tombstone_seconds = tombstone_seconds
        for queue in store.all_queues():
            self._open(queue)

    async def stop(self) -> None:
        """Breaks off all attempts. What was in flight is dispatched again after the next start."""
        for dispatcher in self.dispatchers.values():
            await dispatcher.stop()

    async def create_queue(self, request: CreateQueueRequest) -> Queue:
        """Creates a queue with the given settings, the rest by default."""
        parent, queue = names.location(request.parent), request.queue
        if names.queue(queue.name).rpartition("/queues/")[0] != parent:
            raise InvalidArgument(f"The queue name ('{queue.name}') must start with the parent ('{parent}').")
        if self.store.queue(queue.name):
            raise AlreadyExists("Queue already exists")
        return self._create(queue)

    async def get_queue(self, request: GetQueueRequest) -> Queue:
        """The queue."""
        return self._queue(request.name)

    async def list_queues(self, request: ListQueuesRequest) -> ListQueuesResponse:
        """The queues of a location, by name."""
        if request.filter:
            raise Unimplemented("ListQueuesRequest.filter is not emulated.")
        size = _page_size(request.page_size, QUEUE_PAGE)
        queues = self.store.queues(names.location(request.parent), _last_name(request.page_token), size + 1)
        token = _page_token(queues[size - 1].name) if len(queues) > size else ""
        return ListQueuesResponse(queues=queues[:size], next_page_token=token)

    async def update_queue(self, request: UpdateQueueRequest) -> Queue:
        """Changes the fields of the mask, or all without one; creates the queue if there is none."""
        given, mask = request.queue, request.update_mask
        stored = self.store.queue(names.queue(given.name))
        if stored is None:
            return self._create(given)
        changed = Queue(stored)
        if mask.paths:
            if not mask.IsValidForDescriptor(Queue.pb().DESCRIPTOR):
                raise InvalidArgument(f"Invalid update mask: {', '.join(mask.paths)}")
            mask.MergeMessage(Queue.pb(given), Queue.pb(changed), replace_message_field=True)
        else:
            changed = Queue(given)
        changed.name, changed.state, changed.purge_time = stored.name, stored.state, stored.purge_time
        complete_queue(changed)
        return self._change(changed)

    async def delete_queue(self, request: DeleteQueueRequest) -> empty_pb2.Empty:
        """Deletes a queue with its tasks. Unlike at Google, its name is free at once."""
        dispatcher = self.dispatchers.pop(names.queue(request.name), None)
        if dispatcher is None:
            raise NotFound("Requested entity was not found.")
        await dispatcher.stop()
        self.store.delete_queue(request.name)
        return empty_pb2.Empty()

    async def purge_queue(self, request: PurgeQueueRequest) -> Queue:
        """Deletes every task of a queue; attempts under way go on."""
        queue = self._queue(request.name)
        self.store.purge(queue.name, time() + self._tombstone_seconds)
        queue.purge_time = timestamp(datetime.now(UTC))
        return self._change(queue)

    async def pause_queue(self, request: PauseQueueRequest) -> Queue:
        """Stops dispatches; tasks can still be added."""
        queue = self._queue(request.name)
        queue.state = PAUSED
        return self._change(queue)

    async def resume_queue(self, request: ResumeQueueRequest) -> Queue:
        """Starts dispatches again."""
        queue = self._queue(request.name)
        queue.state = RUNNING
        return self._change(queue)

    async def create_task(self, request: CreateTaskRequest) -> Task:
        """Adds a task; a name given by the caller must not be in use, nor have been until recently."""
        queue, task = self._queue(request.parent), request.task
        if not task.name:
            task.name = f"{queue.name}/tasks/{secrets.randbits(64)}"
        elif names.queue_of(names.task(task.name)) != queue.name:
            raise InvalidArgument(
                f"The queue name from request ('{queue.name}') must be the same as the queue name in the named task "
                f"('{names.queue_of(task.name)}')."
            )
        check_task(task)
        _complete_task(task)
        if self.store.task(task.name):
            raise AlreadyExists("Requested entity already exists")
        if self.store.is_buried(task.name, time()):
            raise AlreadyExists("The task cannot be created because a task with this name existed too recently.")
        self.store.add(queue.name, task)
        self.dispatchers[queue.name].wake()
        return _view(task, request.response_view)

    async def get_task(self, request: GetTaskRequest) -> Task:
        """The task, until it is done or deleted."""
        return _view(self._task(request.name).task, request.response_view)

    async def list_tasks(self, request: ListTasksRequest) -> ListTasksResponse:
        """The tasks of a queue, by name."""
        size = _page_size(request.page_size, TASK_PAGE)
        queue = self._queue(request.parent)
        tasks = self.store.tasks(queue.name, _last_name(request.page_token), size + 1)
        token = _page_token(tasks[size - 1].name) if len(tasks) > size else ""
        return ListTasksResponse(
            tasks=[_view(task, request.response_view) for task in tasks[:size]], next_page_token=token
        )

    async def delete_task(self, request: DeleteTaskRequest) -> empty_pb2.Empty:
        """Deletes a task that is scheduled or dispatched; an attempt under way goes on, and is its last."""
        stored, now = self._task(request.name), time()
        self.store.bury(stored, now, now + self._tombstone_seconds)
        return empty_pb2.Empty()

    async def run_task(self, request: RunTaskRequest) -> Task:
        """Dispatches a task now, even if its queue is paused or at its limits, or the task is running already."""
        stored = self._task(request.name)
        self.dispatchers[names.queue_of(request.name)].dispatch(stored)
        return _view(stored.task, request.response_view)

    def _create(self, queue: Queue) -> Queue:
        complete_queue(queue)
        queue.state = RUNNING
        del queue.purge_time
        self.store.save_queue(queue)
        self._open(queue)
        return queue

    def _open(self, queue: Queue) -> None:
        self.dispatchers[queue.name] = Dispatcher(queue, self.store, self._sender, self._tombstone_seconds)

    def _change(self, queue: Queue) -> Queue:
        self.store.save_queue(queue)
        self.dispatchers[queue.name].configure(queue)
        return queue

    def _queue(self, name: str) -> Queue:
        queue = self.store.queue(names.queue(name))
        if queue is None:
            raise NotFound(
                "Queue does not exist. "
                "If you just created the queue, wait at least a minute for the queue to initialize."
            )
        return queue

    def _task(self, name: str) -> StoredTask:
        stored = self.store.task(names.task(name))
        if stored:
            return stored
        if self.store.is_buried(name, time()):
            raise NotFound(
                "The task no longer exists, though a task with this name existed recently. The task either "
                "successfully completed or was deleted."
            )
        raise NotFound("Requested entity was not found.")


def _complete_task(task: Task) -> None:
    now = datetime.now(UTC)
    due = moment(task.schedule_time) if "schedule_time" in task else now
    if due > now + MAX_SCHEDULE_AHEAD:
        raise InvalidArgument("Task.scheduleTime must be at most 30 days in the future.")
    task.schedule_time = timestamp(max(due, now))
    task.create_time = timestamp(now.replace(microsecond=0))
    if "dispatch_deadline" not in task:
        task.dispatch_deadline = duration(DEFAULT_DEADLINE)
    if "retry_config" in task:
        task.retry_config = completed_retries(task.retry_config)
    task.http_request.http_method = HttpMethod(task.http_request.http_method or HttpMethod.POST)
    task.http_request.headers["User-Agent"] = "Google-Cloud-Tasks"
    task.dispatch_count = task.response_count = 0
    del task.first_attempt, task.last_attempt


def _view(task: Task, view: Task.View) -> Task:
    """What a caller sees of a task: all of it, or (BASIC, the default) all but the body."""
    shown = Task(task)
    shown.view = view or BASIC
    if shown.view == BASIC:
        shown.http_request.body = b""
    return shown


def _page_size(wanted: int, largest: int) -> int:
    if wanted < 0:
        raise InvalidArgument("The page size cannot be negative.")
    return min(wanted or largest, largest)


def _page_token(last_name: str) -> str:
    return base64.urlsafe_b64encode(last_name.encode()).decode()


def _last_name(page_token: str) -> str:
    try:
        return base64.urlsafe_b64decode(page_token).decode()
    except ValueError as error:
        raise InvalidArgument("The page token is not valid.") from error
