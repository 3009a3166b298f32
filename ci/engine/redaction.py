"""Takes every secret out of what a person or a file gets, in whatever form it was written."""

import base64
import json
import re
import threading
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote, quote_plus

from ci.secret import Secret

MASK = "***"
NAMES = ("*TOKEN*", "*SECRET*", "*PASSWORD*", "*_KEY")
NAMED_LENGTH = 8  # a shorter value of a variable is a switch or a number rather than a secret
LENGTH = 4  # what is shorter would blank out half a log
LINE_LENGTH = 8  # so that "null," in a key file of JSON does not count
SMALL = 1 << 16  # bytes of forms that may have the fastest automaton, which takes some 300 times their room
WRAPPED_LENGTH = 76  # of the lines that `base64` writes
# What Convex calls a deploy key: the name of what it opens, which is no secret, then the token.
DEPLOY_KEY = re.compile(r"(?:(?:prod|dev|preview|project|local):[\w:-]+|[a-z]+-[a-z]+-\w+)\|(?=.{8})")
# What encodeURIComponent and encodeURI of JavaScript leave as it is.
COMPONENT, ADDRESS = "!'()*", "!'()*;,/?:@&=+$#"

Span = tuple[int, int]


def named_secret(name: str, more: Sequence[str] = ()) -> bool:
    """Return whether a variable of this name holds a secret; `more` are patterns of the project's own."""
    return any(fnmatchcase(name.upper(), pattern.upper()) for pattern in (*NAMES, *more))


def named_values(environ: Mapping[str, str], more: Sequence[str] = ()) -> list[str]:
    """Return the values in `environ` that are secrets by the names of their variables."""
    return [value for name, value in environ.items() if len(value) >= NAMED_LENGTH and named_secret(name, more)]


class Redactor:
    """Knows the secrets of a run, and replaces each by `***`, also where two of them overlap."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: dict[str, None] = {}
        self._untold: list[str] = []
        self._finder: _Finder | None = None
        self._is_behind = False  # the finder does not know all secrets yet

    def add(self, *values: str) -> None:
        """Take `values` for secrets from now on, in all their forms; what is too short to be one is left alone."""
        secrets = [_kept_of(value) for value in values]
        with self._lock:
            new = [value for value in dict.fromkeys(secrets) if len(value) >= LENGTH and value not in self._secrets]
            if new:
                self._secrets.update(dict.fromkeys(new))
                self._untold += new
                self._is_behind = True

    def untold(self) -> list[str]:
        """Return, once, the lines of the secrets that were added since the last call: GitHub masks line by line."""
        if not self._untold:
            return []
        with self._lock:
            new, self._untold = self._untold, []
        return list(dict.fromkeys(line for secret in new for line in _parts(secret) if "\n" not in line))

    def text(self, text: str) -> str:
        """Return a whole text without its secrets."""
        stream = self.stream()
        return stream.feed(text) + stream.end()

    def value(self, value: Any) -> Any:
        """Return a JSON-like value without its secrets, in keys too, ready to be serialised."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.value(item) for item in value]
        written = MASK if isinstance(value, Secret) else str(value)
        redacted = self.text(written)
        return value if isinstance(value, (int, float)) and redacted == written else redacted

    def stream(self) -> "Stream":
        """Return what redacts one text that comes in parts; each pipe needs its own."""
        return Stream(self)

    @property
    def finder(self) -> "_Finder | None":
        """Return what finds the secrets known by now, or None without any."""
        if self._is_behind:
            with self._lock:
                self._finder = _Finder({form for secret in self._secrets for form in _forms(secret)})
                self._is_behind = False
        return self._finder


class Stream:
    """
    Redacts one text that comes in parts, for one thread at a time.

    A tail that may begin a secret waits for what comes next; all before it is let go at once.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._waiting = b""
        self._masked = 0  # how much of what waits a mask that is already shown stands for

    def feed(self, text: str) -> str:
        """Return what may be shown now."""
        finder = self._redactor.finder
        if finder is None:
            return text
        data = self._waiting + _bytes(text)
        return self._let_go(finder, data, finder.tail_at(data))

    def end(self) -> str:
        """Return the rest."""
        finder, data = self._redactor.finder, self._waiting
        return self._let_go(finder, data, len(data)) if finder and data else ""

    def _let_go(self, finder: "_Finder", data: bytes, until: int) -> str:
        """Return `data` up to `until`, redacted; the rest waits."""
        shown: list[bytes] = []
        at = 0
        for start, end in _merged([(0, self._masked)] if self._masked else [], finder.spans(data)):
            is_shown = start == 0 and self._masked
            if start >= until and not is_shown:
                break
            shown += [data[at:start], b"" if is_shown else MASK.encode()]
            at = end
        shown.append(data[at:until])
        self._waiting, self._masked = data[until:], max(0, at - until)
        return b"".join(shown).decode("utf-8", "surrogatepass")


class _Finder:
    """Finds all forms in a text at once. It works on UTF-8, where a form can only begin where a character does."""

    def __init__(self, forms: Iterable[str]) -> None:
        # Imported here: a run without secrets does without it.
        from ahocorasick_rs import BytesAhoCorasick, Implementation

        self._forms = sorted(_bytes(form) for form in forms)
        self._longest = max(map(len, self._forms))
        is_small = sum(map(len, self._forms)) < SMALL
        self._all = BytesAhoCorasick(self._forms, implementation=Implementation.DFA if is_small else None)
        self._beginnings = BytesAhoCorasick({form[:LENGTH] for form in self._forms})

    def spans(self, data: bytes) -> list[Span]:
        """Return where forms stand in `data`, overlapping ones too, in no order."""
        # Only the search for matches that do not overlap is fast, and most texts have none of either.
        if not self._all.find_matches_as_indexes(data):
            return []
        return [(start, end) for _, start, end in self._all.find_matches_as_indexes(data, overlapping=True)]

    def tail_at(self, data: bytes) -> int:
        """Return where the longest tail of `data` begins that may be the beginning of a form."""
        first = max(0, len(data) - self._longest + 1)
        found = self._beginnings.find_matches_as_indexes(data[first:], overlapping=True)
        starts = [first + start for _, start, _ in found]
        starts += range(max(first, len(data) - LENGTH + 1), len(data))
        return next((start for start in starts if self._is_beginning(data[start:])), len(data))

    def _is_beginning(self, tail: bytes) -> bool:
        """Return whether a form is `tail` and more: of all that sort behind it, those come first."""
        at = bisect_right(self._forms, tail)
        return at < len(self._forms) and self._forms[at].startswith(tail)


def _merged(known: list[Span], spans: list[Span]) -> list[Span]:
    """Return `known` and `spans` in order, those that overlap as one."""
    merged = known
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _kept_of(value: str) -> str:
    """Return what of `value` is secret, trimmed: of a deploy key the token, else all."""
    value = value.strip()
    name = DEPLOY_KEY.match(value)
    return value[name.end() :] if name else value


def _parts(secret: str) -> list[str]:
    """Return a secret and the lines of one that has several, all trimmed: that finds them untrimmed, too."""
    lines = [line.strip() for line in secret.splitlines()]
    return [secret, *(line for line in lines if len(line) >= LINE_LENGTH and line != secret)]


def _forms(secret: str) -> Iterator[str]:
    for part in _parts(secret):
        for form in (*_written(part), *_base64(_raw(part))):
            if len(_bytes(form)) >= LENGTH:
                yield form


def _written(part: str) -> Iterator[str]:
    """Yield `part` as it is, with either end of line, and as JSON, URLs, Python and shells quote it."""
    unix = part.replace("\r\n", "\n")
    for text in {part, unix, unix.replace("\n", "\r\n")}:
        yield text
        yield _raw(text).decode("utf-8", "replace")  # as the output of a child is read
        yield from (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
        yield from (repr(text)[1:-1], repr(_raw(text))[2:-1])
        yield from (text.replace("'", "'\"'\"'"), text.replace("'", r"'\''"))
        for safe in ("", "/", COMPONENT, ADDRESS):
            yield from _quoted(quote(_raw(text), safe=safe))
        yield from _quoted(quote_plus(_raw(text)))


def _quoted(url: str) -> tuple[str, str]:
    """Return `url` with its escapes in capitals and in small letters."""
    return url, re.sub("%..", lambda escape: escape[0].lower(), url)


def _base64(raw: bytes) -> Iterator[str]:
    """Yield what base64 makes of `raw` alone, wrapped in lines, and at each place within a longer text."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode().rstrip("=")
        yield whole
        if len(whole) > WRAPPED_LENGTH:
            yield from re.findall(f".{{{LINE_LENGTH},{WRAPPED_LENGTH}}}", whole)
        for before in range(3):
            # Only the characters whose six bits are all of `raw`.
            first, last = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
            yield encode(bytes(before) + raw).decode()[first:last]


def _raw(text: str) -> bytes:
    """Return the bytes that an environment would hold for `text`."""
    return text.encode("utf-8", "surrogateescape" if _is_escaped(text) else "surrogatepass")


def _is_escaped(text: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in text)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
