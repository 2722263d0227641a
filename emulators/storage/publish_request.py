"""Pub/Sub's PublishRequest on the wire, written by hand.

Two messages of strings and bytes do not need `google.pubsub_v1`, whose import costs over a second of CPU at every start
(https://protobuf.dev/programming-guides/encoding/, fields as in google/pubsub/v1/pubsub.proto).
"""

from collections.abc import Iterable, Mapping

PUBLISH_METHOD = "/google.pubsub.v1.Publisher/Publish"
_LENGTH_DELIMITED = 2


def encode_publish_request(topic: str, messages: Iterable[tuple[bytes, Mapping[str, str]]]) -> bytes:
    """A PublishRequest: `topic` is `projects/P/topics/T`, each message its data and attributes."""
    encoded = (_field(2, _field(1, data) + _attributes(attributes)) for data, attributes in messages)
    return _field(1, topic.encode()) + b"".join(encoded)


def _attributes(attributes: Mapping[str, str]) -> bytes:
    entries = (_field(1, name.encode()) + _field(2, value.encode()) for name, value in attributes.items())
    return b"".join(_field(2, entry) for entry in entries)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
