"""No secret gets through, in whatever form, split wherever; everything else gets through at once and unchanged."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ci.engine import redaction
from ci.engine.redaction import Redactor
from ci.secret import Secret

KEY = "prod:happy-otter-123|eyJ2MiI6ImFiY2RlZiJ9=="
PEM = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq+/hkiG9w\nab\n-----END KEY-----\n"


def knowing(*secrets: str) -> Redactor:
    redactor = Redactor()
    redactor.add(*secrets)
    return redactor


def in_parts(redactor: Redactor, parts: list[str]) -> list[str]:
    stream = redactor.stream()
    return [*(stream.feed(part) for part in parts), stream.end()]


@pytest.mark.parametrize(
    ("name", "more", "expected"),
    [
        ("CLOUDFLARE_API_TOKEN", [], True),
        ("TOKEN_URL", [], True),
        ("CLIENT_SECRET", [], True),
        ("PGPASSWORD", [], True),
        ("CONVEX_DEPLOY_KEY", [], True),
        ("deploy_key", [], True),
        ("KEYBOARD", [], False),
        ("MONKEY", [], False),
        ("DATABASE_URL", [], False),
        ("DATABASE_URL", ["*_URL"], True),
        ("DSN", ["dsn"], True),
    ],
)
def test_a_variable_is_secret_by_its_name(name: str, more: list[str], expected: bool) -> None:
    assert redaction.named_secret(name, more) is expected


def test_a_short_value_of_a_variable_is_no_secret_by_its_name() -> None:
    environ = {"A_TOKEN": "1234567", "B_TOKEN": "12345678", "HOME": "/home/someone"}
    assert redaction.named_values(environ) == ["12345678"]


@pytest.mark.parametrize(
    ("secrets", "text", "expected"),
    [
        ([], "nothing is secret", "nothing is secret"),
        (["hunter22"], "hunter22", "***"),
        (["hunter22"], "a hunter22, hunter22\n", "a ***, ***\n"),
        (["hunter22"], "hunter2 Hunter22", "hunter2 Hunter22"),
        (["abc", ""], "abc", "abc"),
        (["abcd"], "abcd", "***"),
        (["abcdefgh", "efghijkl"], "xabcdefghijkly", "x***y"),
        (["abcd", "abcdefgh"], "abcdefgh abcdefg abcd", "*** ***efg ***"),
        (["aaaaaaaa"], "a" * 17 + "b" + "a" * 7, "***b" + "a" * 7),
        ([" trimmed-key\n"], "<trimmed-key>", "<***>"),
        (["日本語の鍵です"], "鍵: 日本語の鍵です。", "鍵: ***。"),
        ([KEY], KEY, "prod:happy-otter-123|***"),
        (["happy-otter-123|0123456789"], "happy-otter-123|0123456789", "happy-otter-123|***"),
        (["half|of a password"], "half|of a password", "***"),
        ([PEM], PEM, "***\n"),
        ([PEM], PEM.replace("\n", "\r\n"), "***\r\n"),
        ([PEM.replace("\n", "\r\n")], PEM, "***\n"),
        ([PEM], "1: MIIEvQIBADANBgkq+/hkiG9w\n2: ab\n", "1: ***\n2: ab\n"),
        (["a/b c+d\"e'f"], quote("a/b c+d\"e'f", safe=""), "***"),
        (["a/b c+d\"e'f"], quote("a/b c+d\"e'f", safe="").lower(), "***"),
        (["a/b c+d\"e'f"], quote_plus("a/b c+d\"e'f"), "***"),
        (["a/b c+d\"e'f"], "a%2Fb%20c%2Bd%22e'f a/b%20c+d%22e'f", "*** ***"),  # encodeURIComponent, encodeURI
        (["a/b c+d\"é'f"], json.dumps({"key": "a/b c+d\"é'f"}), '{"key": "***"}'),
        (["a/b c+d\"é'f"], json.dumps({"key": "a/b c+d\"é'f"}, ensure_ascii=False), '{"key": "***"}'),
        (["back\\slash'"], repr("back\\slash'"), '"***"'),
        (["it's a key"], "+ echo 'it'\\''s a key'", "+ echo '***'"),
        (["caf\udce9-key"], "caf\ufffd-key", "***"),
    ],
)
def test_a_secret_is_masked(secrets: list[str], text: str, expected: str) -> None:
    assert knowing(*secrets).text(text) == expected


def test_base64_is_masked_wherever_the_secret_stands_in_what_was_encoded() -> None:
    redactor = knowing("a key? of >> 24 letters!")
    shown = [
        redactor.text(encode(before + b"a key? of >> 24 letters!" + b"after").decode())
        for before in (b"", b"1", b"12", b"123")
        for encode in (base64.b64encode, base64.urlsafe_b64encode)
    ]
    # What is left are characters with bits of what stands before or after.
    assert [re.fullmatch(r"[\w=+/-]{0,4}\*\*\*[\w=+/-]{0,10}", text) is not None for text in shown] == [True] * 8


def test_base64_that_is_wrapped_into_lines_is_masked() -> None:
    secret = "".join(map(chr, range(33, 127)))
    wrapped = base64.encodebytes(secret.encode()).decode()
    assert knowing(secret).text(wrapped) == "***\n***==\n"


def test_a_secret_is_masked_wherever_it_is_split() -> None:
    redactor = knowing("hunter22-secret", "hunter2")
    text = "a hunter22-secret b"
    splits = [[text[:first], text[first:second], text[second:]] for second in range(20) for first in range(second + 1)]
    assert {"".join(in_parts(redactor, split)) for split in splits} == {"a *** b"}


def test_only_a_tail_that_begins_a_secret_waits() -> None:
    redactor = knowing("hunter22", "22-more")
    redactor.add(" trimmed ")
    assert in_parts(redactor, ["password: ", "a h", "unter", "!", "hunter22", "-", "x", "hunt"]) == [
        *("password: ", "a ", "", "hunter!", "***", "", "-x", "", "hunt")
    ]


def test_what_waits_stays_small() -> None:
    stream = knowing("a" * 1000).stream()
    assert [stream.feed("a" * 5000), *{stream.feed("a" * 5000) for _ in range(20)}, stream.end()] == ["***", "", ""]


def test_a_secret_that_is_learned_later_is_masked_from_then_on() -> None:
    redactor = Redactor()
    stream = redactor.stream()
    before = stream.feed("hunter22 ")
    redactor.add("hunter22")
    assert [before, stream.feed("hunter22"), stream.end()] == ["hunter22 ", "***", ""]


def test_json_values_are_redacted_before_they_are_written() -> None:
    value = {
        "hunter22": ["a hunter22", 12345678, 1234, 1.5, True, None],
        "typed": Secret("any"),
        "nested": ({"quote\"d'": "quote\"d'"},),
    }
    assert knowing("hunter22", "12345678", "quote\"d'").value(value) == {
        "***": ["a ***", "***", 1234, 1.5, True, None],
        "typed": "***",
        "nested": [{"***": "***"}],
    }


def test_each_line_of_a_secret_is_told_to_github_once() -> None:
    redactor = knowing("hunter22", PEM)
    told = redactor.untold()
    redactor.add("hunter22", KEY)
    expected = ["hunter22", "-----BEGIN KEY-----", "MIIEvQIBADANBgkq+/hkiG9w", "-----END KEY-----"]
    assert [told, redactor.untold(), redactor.untold()] == [expected, ["eyJ2MiI6ImFiY2RlZiJ9=="], []]


CHARACTERS = st.characters(exclude_categories=["Cs"])
SECRETS = st.one_of(
    st.text("ab", min_size=8, max_size=12),  # of few letters, so that they overlap
    st.text("ab+/\\\"'% \n|:", min_size=8, max_size=14),
    st.text(CHARACTERS, min_size=8, max_size=20),
)
TEXTS = st.one_of(st.text("ab", max_size=8), st.text(CHARACTERS, max_size=8), st.just("***"))
FORMS: dict[str, Callable[[str], str]] = {
    "itself": str,
    "windows": lambda text: text.replace("\r\n", "\n").replace("\n", "\r\n"),
    "trimmed": str.strip,
    "json": lambda text: json.dumps(text)[1:-1],
    "json with letters": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "url": lambda text: quote(text, safe=""),
    "path": quote,
    "form": quote_plus,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for urls": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
}


def is_kept(secret: str) -> bool:
    return len(secret.strip().replace("*", "")) >= redaction.NAMED_LENGTH and not redaction.DEPLOY_KEY.match(
        secret.strip()
    )


@given(
    secrets=st.lists(SECRETS.filter(is_kept), min_size=1, max_size=4),
    pieces=st.lists(st.tuples(TEXTS, st.integers(0, 3), st.sampled_from(sorted(FORMS))), min_size=1, max_size=5),
    cuts=st.lists(st.integers(0, 200), max_size=12),
)
@example(secrets=["aaaaaaaa", "aaaabaaa"], pieces=[("aaaa", 0, "itself"), ("baaa", 1, "itself")], cuts=[5, 9, 13])
def test_no_secret_gets_through(secrets: list[str], pieces: list[tuple[str, int, str]], cuts: list[int]) -> None:
    redactor = knowing(*secrets)
    written = [(before, FORMS[form](secrets[number % len(secrets)])) for before, number, form in pieces]
    text = "".join(before + secret for before, secret in written)
    marks = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    shown = "".join(in_parts(redactor, [text[a:b] for a, b in pairwise(marks)]))
    assert (shown, [secret for _, secret in written if secret in shown]) == (redactor.text(text), [])


@given(
    secret=st.text(CHARACTERS, min_size=8, max_size=40).filter(is_kept),
    before=st.binary(max_size=4),
    after=st.binary(max_size=4),
)
def test_no_secret_gets_through_inside_of_something_encoded(secret: str, before: bytes, after: bytes) -> None:
    whole = base64.b64encode(before + secret.encode() + after).decode()
    sure = base64.b64encode(bytes(len(before)) + secret.encode()).decode()
    first, last = -(-len(before) * 8 // 6), (len(before) + len(secret.encode())) * 8 // 6
    assert sure[first:last] not in knowing(secret).text(whole)


@given(text=st.text(st.characters(), max_size=60), cut=st.integers(0, 60))
def test_what_is_not_secret_is_unchanged(text: str, cut: int) -> None:
    redactor = knowing("\x00not in any text\x00")
    assert "".join(in_parts(redactor, [text[:cut], text[cut:]])) == text
