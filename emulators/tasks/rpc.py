"""The calls of the service as gRPC methods, over the types that google-cloud-tasks ships."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc
from google.cloud.tasks_v2 import types
from google.protobuf import empty_pb2

from emulators.tasks.refusals import Refused
from emulators.tasks.service import CloudTasks

SERVICE = "google.cloud.tasks.v2.CloudTasks"

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


def methods(service: CloudTasks) -> "grpc.GenericRpcHandler[object, object]":
    """Every call that is emulated; gRPC itself answers UNIMPLEMENTED to the others."""
    queue, task = types.Queue.serialize, types.Task.serialize
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            "CreateQueue": _method(service.create_queue, types.CreateQueueRequest.deserialize, queue),
            "GetQueue": _method(service.get_queue, types.GetQueueRequest.deserialize, queue),
            "ListQueues": _method(
                service.list_queues, types.ListQueuesRequest.deserialize, types.ListQueuesResponse.serialize
            ),
            "UpdateQueue": _method(service.update_queue, types.UpdateQueueRequest.deserialize, queue),
            "DeleteQueue": _method(service.delete_queue, types.DeleteQueueRequest.deserialize, _empty),
            "PurgeQueue": _method(service.purge_queue, types.PurgeQueueRequest.deserialize, queue),
            "PauseQueue": _method(service.pause_queue, types.PauseQueueRequest.deserialize, queue),
            "ResumeQueue": _method(service.resume_queue, types.ResumeQueueRequest.deserialize, queue),
            "CreateTask": _method(service.create_task, types.CreateTaskRequest.deserialize, task),
            "GetTask": _method(service.get_task, types.GetTaskRequest.deserialize, task),
            "ListTasks": _method(
                service.list_tasks, types.ListTasksRequest.deserialize, types.ListTasksResponse.serialize
            ),
            "DeleteTask": _method(service.delete_task, types.DeleteTaskRequest.deserialize, _empty),
            "RunTask": _method(service.run_task, types.RunTaskRequest.deserialize, task),
        },
    )


def _empty(message: empty_pb2.Empty) -> bytes:
    return message.SerializeToString()


def _method(
    call: Callable[[Asked], Awaitable[Answered]],
    deserialize: Callable[[bytes], Asked],
    serialize: Callable[[Answered], bytes],
) -> "grpc.RpcMethodHandler[Asked, Answered]":
    async def answer(asked: Asked, context: "grpc.aio.ServicerContext[Asked, Answered]") -> Answered:
        try:
            return await call(asked)
        except Refused as refusal:
            await context.abort(refusal.status, str(refusal))

    return grpc.unary_unary_rpc_method_handler(answer, deserialize, serialize)
