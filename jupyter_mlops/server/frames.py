"""Messages between the server and its worker processes: JSON, with its length before it."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

__all__ = ["HEADER", "packed", "read_frame", "size_of"]

HEADER = 4  # bytes
_LENGTH = struct.Struct(">I")


def packed(message: Any) -> bytes:
    """A message as bytes."""
    body = json.dumps(message).encode()
    return _LENGTH.pack(len(body)) + body


def size_of(header: bytes) -> int:
    """How many bytes come behind a header."""
    return int(_LENGTH.unpack(header)[0])


def read_frame(stream: BinaryIO) -> Any:
    """The next message of a blocking stream; None at its end."""
    header = stream.read(HEADER)
    if len(header) < HEADER:
        return None
    size = size_of(header)
    body = stream.read(size)
    return json.loads(body) if len(body) == size else None
