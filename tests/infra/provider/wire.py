"""The little of protocol buffers that the stand-in provider needs: fields by number, without generated classes.

The message numbers are those of Terraform's plugin protocol 5, which is published for providers to implement.
"""

from collections.abc import Mapping
from typing import TypeAlias

Value: TypeAlias = "str | bytes | int | bool | list[bytes]"

LENGTH_DELIMITED = 2


def encode(fields: Mapping[int, Value]) -> bytes:
    """A message with these fields; an empty value is left out, a list repeats its field."""
    encoded = bytearray()
    for number, value in fields.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, int):
                encoded += (_varint(number << 3) + _varint(int(item))) if item else b""
            else:
                raw = item.encode() if isinstance(item, str) else item
                encoded += _varint(number << 3 | LENGTH_DELIMITED) + _varint(len(raw)) + raw
    return bytes(encoded)


def decode(message: bytes) -> dict[int, bytes]:
    """The strings and sub-messages of a message by field number; of a repeated one the last; numbers are skipped."""
    fields: dict[int, bytes] = {}
    position = 0
    while position < len(message):
        key, position = _read_varint(message, position)
        length, position = _read_varint(message, position)
        if key & 7 == LENGTH_DELIMITED:
            fields[key >> 3] = message[position : position + length]
            position += length
    return fields


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _read_varint(message: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[position]
        number |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return number, position
