"""A site's own rules: the files _redirects and _headers, as Pages reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

STATUSES = (200, 301, 302, 303, 307, 308)
DYNAMIC = re.compile(r"\*|:[A-Za-z]\w*")


@dataclass(frozen=True)
class Redirect:
    """One line of _redirects; status 200 serves another path under the same address."""

    source: str
    target: str
    status: int


@dataclass(frozen=True)
class Headers:
    """One block of _headers: what it sets, and the names that it takes away."""

    source: str
    set: list[tuple[str, str]] = field(default_factory=list)
    unset: list[str] = field(default_factory=list)


def redirect(text: str, path: str) -> Redirect | None:
    """
    Return the redirect for this path, placeholders filled in: an exact rule first, else the first that matches.

    Source: workers-sdk, packages/pages-shared/asset-server/handler.ts; read 2026-11-22.
    """
    rules = _redirects(text)
    exact = [rule for rule in rules if rule.source == path and not DYNAMIC.search(rule.source)]
    for rule in exact + [rule for rule in rules if DYNAMIC.search(rule.source)]:
        found = match(rule.source, path)
        if found is not None:
            return Redirect(path, _fill(rule.target, found), rule.status)
    return None


def headers(text: str, path: str) -> list[Headers]:
    """Return the blocks that match this path, in order, placeholders filled in."""
    found = [(rule, match(rule.source, path)) for rule in _headers(text)]
    return [
        Headers(rule.source, [(name, _fill(value, values)) for name, value in rule.set], rule.unset)
        for rule, values in found
        if values is not None
    ]


def match(pattern: str, path: str) -> dict[str, str] | None:
    """Return what `*` (as "splat") and `:placeholders` of a pattern stand for in a path, or None."""
    # Escaping leaves ":" and letters alone, so placeholders survive it.
    expression = re.sub(r":([A-Za-z]\w*)", r"(?P<\1>[^/]+)", re.escape(pattern).replace(r"\*", "(?P<splat>.*)"))
    try:
        found = re.fullmatch(expression, path)
    except re.error:  # a placeholder or * twice: such a rule never matches
        return None
    return found.groupdict() if found else None


def _fill(text: str, values: dict[str, str]) -> str:
    return re.sub(r":([A-Za-z]\w*)", lambda name: values.get(name[1], name[0]), text)


def _redirects(text: str) -> list[Redirect]:
    """Return the rules that Pages accepts; it drops the others without a word to the visitor."""
    rules: dict[str, Redirect] = {}
    for line in text.splitlines():
        words = re.sub(r"(^|\s+)#.*$", "", line.strip()).split()
        if len(words) not in (2, 3) or not words[0].startswith("/"):
            continue
        status = int(words[2]) if len(words) == 3 and words[2].isdigit() else 302 if len(words) == 2 else 0
        # The clean address of /index.html is the very path that such a rule matches: an endless loop, so dropped.
        loop = words[0].endswith(("/*", "/")) and re.fullmatch(r"/(.*/)?index(\.html)?", words[1])
        if status in STATUSES and not loop:
            rules.setdefault(words[0], Redirect(words[0], words[1], status))
    return list(rules.values())


def _headers(text: str) -> list[Headers]:
    rules: list[Headers] = []
    for line in (line.strip() for line in text.splitlines()):
        name, colon, value = line.partition(":")
        if not line or line.startswith("#"):
            continue
        if line.startswith("/") or re.match(r"[^\s]+://", line):
            rules.append(Headers(line))
        elif rules and colon:
            rules[-1].set.append((name.strip(), value.strip()))
        elif rules and line.startswith("! "):
            rules[-1].unset.append(line.removeprefix("! ").strip())
    return rules
