"""Files of components and pages: the scripts in them, and the expressions in their markup."""

from __future__ import annotations

import re
from collections.abc import Iterator

MARKUP = (".vue", ".svelte", ".astro", ".html")

# What is not closed goes on to the end of the file: so it does in HTML, and so nothing is looked for again and again.
_SCRIPT = re.compile(rb"<script\b[^>]*>(.*?)(?:</script\s*>|\Z)|\A\s*---[^\n]*\n(.*?)\n---", re.DOTALL | re.IGNORECASE)
_NO_MARKUP = re.compile(
    _SCRIPT.pattern + rb"|<style\b.*?(?:</style\s*>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL | re.IGNORECASE
)
# Source: template syntax of Vue 3, text interpolation and directives with their shorthands; read 2026-11-22.
_VUE = re.compile(
    rb"\{\{(.*?)(?:\}\}|\Z)|\s(?:v-[\w-]+|[:@#])[^\s=>\"']*\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.DOTALL
)  # fmt: skip
_BRACE = re.compile(rb"[{}]")
_NO_NEWLINE = re.compile(rb"[^\n]")

Span = tuple[int, int]


def scripts(data: bytes) -> bytes:
    """Return the file with everything but its scripts blanked."""
    return _only(data, [match.span(match.lastindex or 0) for match in _SCRIPT.finditer(data)])


def expressions(path: str, data: bytes) -> bytes:
    """Return the file with everything but the expressions of its markup blanked; a plain page has none."""
    markup = _NO_MARKUP.sub(lambda match: _NO_NEWLINE.sub(b" ", match[0]), data)
    if path.endswith(".html"):
        return _only(data, [])
    if path.endswith(".vue"):
        return _only(markup, [match.span(match.lastindex or 0) for match in _VUE.finditer(markup)])
    return _only(markup, list(_braced(markup)))


def _braced(markup: bytes) -> Iterator[Span]:
    depth, start = 0, 0
    for match in _BRACE.finditer(markup):
        depth = depth + 1 if match[0] == b"{" else max(depth - 1, 0)
        if depth == 1 and match[0] == b"{":
            start = match.end()
        elif depth == 0 and start:
            yield start, match.start()
            start = 0


def _only(data: bytes, spans: list[Span]) -> bytes:
    kept = bytearray(_NO_NEWLINE.sub(b" ", data))
    for start, end in spans:
        kept[start:end] = data[start:end]
    return bytes(kept)
