"""The prediction log's journals: what a worker appends to, and what a reader finds after a crash.

A journal is a file of frames behind `MAGIC`. A frame is a length and a CRC-32, both as four bytes,
little-endian, and that many bytes of MessagePack: the first one a `Header`, all others arrays of records.
A writer that is killed leaves half a frame at the end at most. While it lives it holds a lock on its
file, so that nobody else takes the journal for abandoned.
"""

from __future__ import annotations

import errno
import os
import struct
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

try:
    import fcntl
except ImportError:  # Windows: an open file cannot be removed there, which does as well
    fcntl = None  # type: ignore[assignment]

MAGIC = b"jupyter-mlops log 1\n"
FOLDER, SUFFIX = "open", ".journal"  # where journals lie in the folder of the log, and their suffix
_FRAME = struct.Struct("<II")
_ARRAY = struct.Struct(">BI")  # how an array of MessagePack begins


class Column(Struct):
    """A column of the input; `hashed` is text whatever its kind is."""

    name: str
    kind: str
    hashed: bool = False


class Header(Struct, tag_field="of", tag="header"):
    """What the records of a journal are."""

    kind: Literal["predictions", "feedback"]
    model: str
    version: str
    prediction: str = "string"  # float, integer, boolean or string
    columns: list[Column] = []
    classes: list[Any] | None = None


class Answered(Struct, array_like=True, gc=False):
    """A request, the rows that it asked about, and what it was answered."""

    time: int  # nanoseconds since 1970, UTC
    id: str
    arm: str
    rows: list[tuple[Any, ...]]
    labels: list[Any]
    probabilities: list[list[float]] | None


class Label(Struct, array_like=True, gc=False):
    """The truth about a row of a request, as it was told later."""

    time: int
    id: str
    row: int
    label: Any


_encoder = msgspec.msgpack.Encoder()
_decode_header = msgspec.msgpack.Decoder(Header).decode
_decode: dict[str, Any] = {
    "predictions": msgspec.msgpack.Decoder(list[Answered]).decode,
    "feedback": msgspec.msgpack.Decoder(list[Label]).decode,
}


class Records:
    """Encoded records, one behind the other: many small objects that live on would cost each request more than one buffer."""

    __slots__ = ("count", "data")

    def __init__(self) -> None:
        self.data = bytearray()
        self.count = 0

    def add(self, record: object) -> None:
        """Encode one more; one that cannot be encoded leaves nothing behind."""
        data = self.data
        end = len(data)
        try:
            _encoder.encode_into(record, data, -1)
        except BaseException:
            del data[end:]
            raise
        self.count += 1


class Journal:
    """A journal that is being written.

    Raises
    ------
    OSError
        Here and in `append`: the disk is full, or the folder cannot be written.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self.path = path
        self.records = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")  # it must not be found before it is locked
        self._file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        self._end = 0
        try:
            if fcntl is not None:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._write(MAGIC, *_framed(_encoder.encode(header)))
            os.replace(new, path)
        except OSError:
            self.close()
            new.unlink(missing_ok=True)
            raise

    def append(self, records: Records) -> None:
        """Write records; all of them are in the file when it returns, or none."""
        if not os.fstat(self._file).st_nlink:
            raise FileNotFoundError(errno.ENOENT, "the journal was removed", str(self.path))
        self._write(*_framed(_ARRAY.pack(0xDD, records.count), records.data))
        self.records += records.count

    def close(self) -> None:
        """Let go of the file; it is complete."""
        os.close(self._file)

    def _write(self, *parts: bytes | bytearray) -> None:
        try:
            for part in parts:
                view = memoryview(part)
                while view:
                    view = view[os.write(self._file, view) :]
        except OSError:
            os.ftruncate(self._file, self._end)  # half a frame would hide all that come later
            os.lseek(self._file, self._end, os.SEEK_SET)
            raise
        self._end += sum(map(len, parts))


def _framed(*parts: bytes | bytearray) -> tuple[bytes | bytearray, ...]:
    """A frame in parts: to put them together would take as long as to write them."""
    check = 0
    for part in parts:
        check = zlib.crc32(part, check)
    return _FRAME.pack(sum(map(len, parts)), check), *parts


def is_abandoned(path: Path) -> bool:
    """Whether nobody writes this journal any more."""
    if fcntl is None:
        return True
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def read_journal(path: Path) -> tuple[Header, Iterator[list[Any]]] | None:
    """What a journal holds, up to the first frame that is not whole; None where not even its header is.

    Returns
    -------
    tuple
        The header, and lists of `Answered` or `Label`.
    """
    frames = _frames(path)
    first = next(frames, None)
    if first is None:
        return None
    header = _decode_header(first)
    return header, map(_decode[header.kind], frames)


def _frames(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return
        while len(start := file.read(_FRAME.size)) == _FRAME.size:
            length, check = _FRAME.unpack(start)
            payload = file.read(length)
            if len(payload) < length or zlib.crc32(payload) != check:
                return
            yield payload


def as_time(value: Any) -> Any:
    """A date and time as it was logged; what is none stays as it is."""
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value
