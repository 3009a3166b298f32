"""Convex values in JSON: the encoded form, in which the clients speak, and the clean one, in which people read."""

from __future__ import annotations

import base64
import struct
from typing import Any

SPECIAL = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def int64(number: int) -> str:
    """Return the text that encodes an int64."""
    return base64.b64encode(struct.pack("<q", number)).decode()


def clean(value: Any) -> Any:
    """
    Return an encoded value in the clean form: an int64 is a text of digits, bytes are base64, NaN is "NaN".

    Source: export_clean of crates/value/src/export.rs in convex-backend; read 2026-11-22.
    """
    if isinstance(value, list):
        return [clean(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"$integer": str(text)}:
            return str(int.from_bytes(base64.b64decode(text), "little", signed=True))
        case {"$bytes": str(text)}:
            return text
        case {"$float": str(text)}:
            number = struct.unpack("<d", base64.b64decode(text))[0]
            return SPECIAL.get(str(number), number)
    return {key: clean(item) for key, item in value.items()}
