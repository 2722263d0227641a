"""Recognizers: a name for a recognition config, and how a request's own config goes over it."""

import json
import os
import re
from pathlib import Path

import grpc
from google.cloud import speech_v2
from google.protobuf.field_mask_pb2 import FieldMask

from emulators.engines.errors import ApiError, InvalidArgument, NotFound

NAME = re.compile(r"(?P<parent>projects/[^/]+/locations/(?P<location>[^/]+))/recognizers/(?P<id>[^/]+)")
PARENT = re.compile(r"projects/[^/]+/locations/[^/]+")
IMPLICIT = "_"
"""The recognizer that always exists and has no config of its own."""


def parse(name: str) -> re.Match[str]:
    """The parts of a recognizer's name; `InvalidArgument` if it is none."""
    match = NAME.fullmatch(name)
    if not match:
        raise InvalidArgument(f"Invalid resource name: '{name}'.")
    return match


class Recognizers:
    """The recognizers that were created, kept in one file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._recognizers: dict[str, speech_v2.Recognizer] = {}
        if file.exists():
            stored = json.loads(file.read_text())
            self._recognizers = {name: speech_v2.Recognizer.from_json(text) for name, text in stored.items()}

    def get(self, name: str) -> speech_v2.Recognizer:
        """A recognizer by name; the implicit one is there in every location."""
        if parse(name)["id"] == IMPLICIT:
            return speech_v2.Recognizer(name=name, state=speech_v2.Recognizer.State.ACTIVE)
        try:
            return self._recognizers[name]
        except KeyError:
            raise NotFound(f"Unable to find Recognizer {name}.") from None

    def list(self, parent: str) -> list[speech_v2.Recognizer]:
        """Those of a location, by name."""
        if not PARENT.fullmatch(parent):
            raise InvalidArgument(f"Invalid resource name: '{parent}'.")
        return [self._recognizers[name] for name in sorted(self._recognizers) if name.startswith(f"{parent}/")]

    def create(self, name: str, recognizer: speech_v2.Recognizer) -> speech_v2.Recognizer:
        """Keep a new one; `ALREADY_EXISTS` if the name is taken."""
        if name in self._recognizers or parse(name)["id"] == IMPLICIT:
            raise ApiError(grpc.StatusCode.ALREADY_EXISTS, f"Recognizer {name} already exists.")
        created = speech_v2.Recognizer(recognizer)
        created.name = name
        created.state = speech_v2.Recognizer.State(speech_v2.Recognizer.State.ACTIVE)
        self._recognizers[name] = created
        self._file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_suffix(".partial")
        partial.write_text(
            json.dumps({name: speech_v2.Recognizer.to_json(item) for name, item in self._recognizers.items()})
        )
        os.replace(partial, self._file)
        return created


def overridden(
    base: speech_v2.RecognitionConfig, config: speech_v2.RecognitionConfig, mask: FieldMask
) -> speech_v2.RecognitionConfig:
    """`base` with the fields of `config` that the mask names; no mask: all that are set; `*`: config alone."""
    source = speech_v2.RecognitionConfig.pb(config)
    if "*" in mask.paths:
        return config
    merged = speech_v2.RecognitionConfig(base)
    paths = list(mask.paths) or [descriptor.name for descriptor, _value in source.ListFields()]
    FieldMask(paths=paths).MergeMessage(source, speech_v2.RecognitionConfig.pb(merged), False, True)
    return merged
