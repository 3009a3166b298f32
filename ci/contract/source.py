"""The bytes of a source file: reading them, and saying where in them something is."""

from __future__ import annotations

import codecs
import os
from dataclasses import dataclass

LARGEST_READ_BYTES = 8 << 20
LARGEST_PARSED_BYTES = 512 << 10  # beyond it the parser can take seconds over one file

_CHUNK_BYTES = 256 << 10
_HEAD_BYTES = 8000  # git looks as far for a NUL to tell binary from text; sources do have one, as a separator
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Unread(Exception):
    """Say in one phrase why a file was not read."""


@dataclass(frozen=True)
class Place:
    """Where something is, counted from 1; columns count characters."""

    line: int
    column: int


def read(path: str) -> bytes:
    """
    Return the file's text as UTF-8, without reading more of it than is sensible.

    Raises:
        Unread: it cannot be read, is too large, or is not text.
    """
    try:
        data = _bytes(path)
    except OSError as error:
        raise Unread(f"could not be read: {(error.strerror or str(error)).lower()}") from error
    if len(data) > LARGEST_READ_BYTES:
        raise Unread(f"is larger than {LARGEST_READ_BYTES >> 20} MB")
    if data.startswith(_UTF_16):
        return data.decode("utf-16", errors="replace").encode()
    if b"\0" in data[:_HEAD_BYTES]:
        raise Unread("is binary")
    return data


def place(data: bytes, at: int) -> Place:
    """Return where byte `at` is."""
    start = data.rfind(b"\n", 0, at) + 1
    line = data[start:at].decode(errors="replace").removeprefix("\ufeff")
    return Place(data.count(b"\n", 0, start) + 1, len(line) + 1)


def _bytes(path: str) -> bytes:
    """Read without Python's buffering, which costs as much as the reading; a pipe or device is never waited for."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        chunks = [os.read(handle, _CHUNK_BYTES)]  # a larger buffer costs more than what most files hold
        while len(chunks[-1]) == _CHUNK_BYTES and len(chunks) * _CHUNK_BYTES <= LARGEST_READ_BYTES:
            chunks.append(os.read(handle, _CHUNK_BYTES))
        return b"".join(chunks)
    finally:
        os.close(handle)
