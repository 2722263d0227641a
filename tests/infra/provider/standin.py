"""Stands in for a provider: knows the schema of Google's, asks Google nothing, and plans everything as it is written.

With it `terraform validate`, `plan` and `test` run where the real provider can't be installed: Terraform attaches to it
by `TF_REATTACH_PROVIDERS`. It checks what Terraform itself checks against a schema (names, types, what is required) and
answers every value that only Google knows with "known after apply", except for names that Google forms from what is
written: those it forms too, so that a plan shows who is bound to what.
"""

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import grpc
import msgpack  # type: ignore[import-untyped]  # publishes no types

from tests.infra.provider.bindings import SCHEMA, Block
from tests.infra.provider.wire import Value, decode, encode

UNKNOWN = msgpack.ExtType(0, b"\x00")
"""How Terraform writes a value that is known after apply."""

NESTING = {"single": 1, "list": 2, "set": 3, "map": 4, "group": 5}

# What the stand-in says of the project it is asked about.
PROJECT_NUMBER = "123456789012"
KNOWN = {
    "google_project": {"number": PROJECT_NUMBER},
    "google_storage_project_service_account": {
        "email_address": f"service-{PROJECT_NUMBER}@gs-project-accounts.iam.gserviceaccount.com",
        "member": f"serviceAccount:service-{PROJECT_NUMBER}@gs-project-accounts.iam.gserviceaccount.com",
    },
}

# Names that Google forms: type → attribute → its form.
FORMED = {
    "google_compute_backend_service": {"id": "projects/{project}/global/backendServices/{name}"},
    "google_document_ai_processor": {"id": "projects/{project}/locations/{location}/processors/ocr"},
    "google_pubsub_topic": {"id": "projects/{project}/topics/{name}"},
    "google_service_account": {
        "email": "{account_id}@{project}.iam.gserviceaccount.com",
        "member": "serviceAccount:{account_id}@{project}.iam.gserviceaccount.com",
        "name": "projects/{project}/serviceAccounts/{account_id}@{project}.iam.gserviceaccount.com",
    },
}

_GOOGLE: Block = {
    "attributes": {
        "project": {"type": "string", "optional": True},
        "region": {"type": "string", "optional": True},
        "billing_project": {"type": "string", "optional": True},
        "user_project_override": {"type": "bool", "optional": True},
        "default_labels": {"type": ["map", "string"], "optional": True},
    },
    "block_types": {},
}

_NOTHING: Block = {"attributes": {}, "block_types": {}}

# https://registry.terraform.io/providers/hashicorp/time/latest/docs/resources/sleep
_SLEEP: Block = {
    "attributes": {
        "create_duration": {"type": "string", "optional": True},
        "destroy_duration": {"type": "string", "optional": True},
        "triggers": {"type": ["map", "string"], "optional": True},
        "id": {"type": "string", "computed": True},
    },
    "block_types": {},
}


class StandIn:
    """The methods of the plugin protocol, each from the bytes of a request to the bytes of its answer.

    Of a provider with these settings, types of resources and types of data sources.
    """

    def __init__(self, settings: Block, resources: dict[str, Block], data: dict[str, Block]) -> None:
        self._settings = settings
        self._resources = resources
        self._data = data
        self._project = ""

    def methods(self) -> dict[str, Callable[[bytes], bytes]]:
        """Name of the method → what answers it."""
        return {
            "GetSchema": self._schema,
            "PrepareProviderConfig": lambda request: encode({1: decode(request)[1]}),
            "ValidateResourceTypeConfig": lambda _: b"",
            "ValidateDataSourceConfig": lambda _: b"",
            "Configure": self._configure,
            "PlanResourceChange": self._plan,
            "ReadDataSource": self._read,
            "Stop": lambda _: b"",
        }

    def _schema(self, _: bytes) -> bytes:
        def entries(blocks: dict[str, Block]) -> list[bytes]:
            return [encode({1: name, 2: encode({2: _block(block)})}) for name, block in blocks.items()]

        provider = encode({2: _block(self._settings)})
        # Terraform may keep the schema instead of asking for it before every step.
        capabilities = encode({2: True})
        return encode({1: provider, 2: entries(self._resources), 3: entries(self._data), 6: capabilities})

    def _configure(self, request: bytes) -> bytes:
        self._project = _unpacked(decode(request)[2]).get("project", "")
        return b""

    def _plan(self, request: bytes) -> bytes:
        fields = decode(request)
        kind, proposed = fields[1].decode(), _unpacked(fields[3])
        if proposed is not None:
            known = {**proposed, "project": proposed.get("project") or self._project}
            formed = {name: form.format_map(known) for name, form in FORMED.get(kind, {}).items()}
            proposed = _planned(self._resources[kind], proposed | formed)
        return encode({1: _packed(proposed)})

    def _read(self, request: bytes) -> bytes:
        fields = decode(request)
        name = fields[1].decode()
        answer = _unpacked(fields[2])
        answer |= {key: None for key in self._data[name]["attributes"] if key not in answer}
        return encode({1: _packed(answer | KNOWN[name])})


def _block(block: Block) -> bytes:
    attributes = [
        encode(
            {
                1: name,
                2: json.dumps(attribute["type"]),
                4: attribute.get("required", False),
                5: attribute.get("optional", False),
                6: attribute.get("computed", False),
                7: attribute.get("sensitive", False),
            }
        )
        for name, attribute in block["attributes"].items()
    ]
    nested = [
        encode(
            {
                1: name,
                2: _block(inner["block"]),
                3: NESTING[inner["nesting_mode"]],
                4: inner.get("min_items", 0),
                5: inner.get("max_items", 0),
            }
        )
        for name, inner in block["block_types"].items()
    ]
    fields: dict[int, Value] = {2: attributes, 3: nested}
    return encode(fields)


def _planned(block: Block, proposed: dict[str, Any]) -> dict[str, Any]:
    """The proposed values, with what only Google knows marked as known after apply."""
    planned = dict(proposed)
    for name, attribute in block["attributes"].items():
        if attribute.get("computed") and planned.get(name) is None:
            planned[name] = UNKNOWN
    for name, inner in block["block_types"].items():
        if isinstance(planned.get(name), list):
            planned[name] = [_planned(inner["block"], item) for item in planned[name]]
        elif isinstance(planned.get(name), dict):
            planned[name] = _planned(inner["block"], planned[name])
    return planned


# A Terraform value has whatever shape its schema gives it.
def _unpacked(dynamic: bytes) -> Any:
    return msgpack.unpackb(decode(dynamic)[1], strict_map_key=False)


def _packed(value: Any) -> bytes:
    return encode({1: msgpack.packb(value)})


def _stand_ins() -> dict[str, StandIn]:
    """Of each provider that infra/ uses, by its name below hashicorp/."""
    schema = json.loads(SCHEMA.read_text())
    return {
        "google": StandIn(_GOOGLE, schema["resource_schemas"], schema["data_source_schemas"]),
        "time": StandIn(_NOTHING, {"time_sleep": _SLEEP}, {}),
    }


@contextmanager
def attached() -> Iterator[dict[str, str]]:
    """Serves the stand-ins; gives the environment in which Terraform uses them instead of the real providers."""
    with ExitStack() as running:
        addresses = {
            f"registry.terraform.io/hashicorp/{name}": running.enter_context(_served(one))
            for name, one in _stand_ins().items()
        }
        yield {"TF_REATTACH_PROVIDERS": json.dumps(addresses)}


@contextmanager
def _served(provider: StandIn) -> Iterator[dict[str, Any]]:
    """Serves one; gives what Terraform is told of it."""
    server = grpc.server(ThreadPoolExecutor(4))
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(lambda request, _, answer=answer: answer(request))
        for name, answer in provider.methods().items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("tfplugin5.Provider", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield {
            "Protocol": "grpc",
            "ProtocolVersion": 5,
            "Pid": os.getpid(),
            "Test": True,
            "Addr": {"Network": "tcp", "String": f"127.0.0.1:{port}"},
        }
    finally:
        server.stop(None)
