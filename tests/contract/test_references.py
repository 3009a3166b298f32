"""Every way of calling a Convex function is found, and nothing else is."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci.contract import references, source
from ci.contract.references import Found, Reference

CASES = sorted(path for path in (Path(__file__).parent / "references").iterdir() if path.is_dir())
_MARKED = re.compile(r"(?://|#|<!--) (?=FOUND: |DYNAMIC:)(.*?)(?: -->)?$")


def said(case: Path) -> list[str]:
    """Return what a case says of itself: marks at the ends of lines, and expected.json for what has no comments."""
    lines = list(told(case).get("lines", ()))
    for path in (path for path in case.rglob("*") if path.is_file()):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if marked := _MARKED.search(line):
                lines += [f"{path.relative_to(case)}:{number} {mark}" for mark in marks(marked[1])]
    return sorted(lines)


def told(case: Path) -> dict[str, Any]:
    path = case / "expected.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def marks(text: str) -> list[str]:
    found = []
    for part in text.split(" | "):
        kind, _, rest = part.partition(":")
        found += [one.strip() for one in rest.split(",")] if kind == "FOUND" else [f"dynamic {rest.strip()}".strip()]
    return found


def shown(found: Found, *, several: bool) -> list[str]:
    lines = [f"{one.path} {one.why}" for one in found.skipped]
    for one in found.references:
        internal = "internal " if one.visibility == "internal" else ""
        backend = f" in {one.backend or 'nowhere'}" if several else ""
        lines.append(f"{one.path}:{one.line} {internal}{one.form.split()[0]} {one.function}{backend}")
    lines += [f"{one.path}:{one.line} dynamic {one.prefix}".strip() for one in found.dynamic]
    return sorted(lines)


def find(root: Path, *backends: str, cache: Path | None = None) -> Found:
    return references.find(root, [root / one for one in backends or ("convex",)], cache=cache)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_a_case_has_the_marked_calls_and_no_others(case: Path) -> None:
    backends = told(case).get("backends", ["convex"])
    assert shown(find(case, *backends), several=len(backends) > 1) == said(case)


def repository(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in ({"convex/a.ts": "export {}"} | files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


@pytest.mark.parametrize(
    ("call", "form"),
    [
        ("useQuery(api.a.b, {})", "member useQuery"),
        ("const run = useMutation(api.a.b)", "member useMutation"),
        ("await client.mutation(api.a.b, {})", "member mutation"),
        ("await client.mutation<any>(api.a.b, {})", "member mutation"),
        ("useQuery(convexQuery(api.a.b, {}))", "member convexQuery"),
        ('ctx.runAction(api["a"].b)', "subscript runAction"),
        ("useCachedQueryOfOurs(api.a.b)", "member"),
        ("useQuery(other, api.a.b)", "member"),
    ],
)
def test_the_form_tells_what_calls_the_function_where_that_tells_its_kind(tmp_path: Path, call: str, form: str) -> None:
    text = f'import {{ api }} from "../convex/_generated/api"\n{call}\n'
    root = repository(tmp_path, {"convex/_generated/api.d.ts": "", "src/page.ts": text})
    assert [(one.function, one.form) for one in find(root).references] == [("a:b", form)]


def calling(name: str, up: str = "../") -> str:
    return f'import {{ api }} from "{up}convex/_generated/api"\nrun(api.{name})\n'


def test_a_reference_says_where_it_is(tmp_path: Path) -> None:
    text = '\ufeffimport { api } from "../convex/_generated/api"\r\nconst a = "é🎉"; run(api.a.b)\r\n'
    found = find(repository(tmp_path, {"src/é.ts": text}))
    assert found.references == (Reference("a:b", "convex", "src/é.ts", 2, 21, "member", "public"),)


def test_what_git_ignores_is_no_source(tmp_path: Path) -> None:
    root = repository(
        tmp_path,
        {
            ".gitignore": "/gone/\n*.gen.ts\n!kept.gen.ts\n",
            "src/.gitignore": "/local.ts\n",
            "gone/x.ts": calling("a.gone"),
            "src/x.gen.ts": calling("a.generated"),
            "src/kept.gen.ts": calling("a.kept"),
            "src/local.ts": calling("a.local"),
            "src/deep/local.ts": calling("a.deep", "../../"),
            "node_modules/x/index.ts": calling("a.installed", "../../"),
        },
    )
    (root / ".git").mkdir()
    assert shown(find(root), several=False) == ["src/deep/local.ts:2 member a:deep", "src/kept.gen.ts:2 member a:kept"]


def test_the_rules_above_the_root_hold_unless_they_ignore_the_root(tmp_path: Path) -> None:
    root = repository(tmp_path / "inner", {"src/x.ts": calling("a.x"), "src/y.ts": calling("a.y")})
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("y.ts\n")
    assert shown(find(root), several=False) == ["src/x.ts:2 member a:x"]
    (tmp_path / ".gitignore").write_text("y.ts\ninner\n")
    assert shown(find(root), several=False) == ["src/x.ts:2 member a:x", "src/y.ts:2 member a:y"]


def test_what_cannot_be_read_is_said_and_stops_nothing(tmp_path: Path) -> None:
    root = repository(
        tmp_path,
        {
            "src/binary.ts": b"\x00\x01\x02",
            "src/good.ts": calling("a.good"),
            "src/latin.ts": b"// caf\xe9\n" + calling("a.latin").encode(),
            "src/utf16.ts": calling("a.wide").encode("utf-16"),
            "src/vast.ts": calling("a.vast") + "/" * (9 << 20),
            "bin/program": b"\x7fELF\x00convex run",
        },
    )
    os.mkfifo(root / "src/pipe.ts")
    (root / "src/around").symlink_to(root)
    (root / "src/dangling.ts").symlink_to("nowhere.ts")
    (root / "src/self").symlink_to("self")
    assert shown(find(root), several=False) == [
        "src/binary.ts is binary",
        "src/good.ts:2 member a:good",
        "src/latin.ts:3 member a:latin",
        "src/utf16.ts:2 member a:wide",
        "src/vast.ts is larger than 8 MB",
    ]


def test_a_large_file_is_read_without_the_parser(tmp_path: Path) -> None:
    text = (
        'import { api as all, type x } from "../convex/_generated/api"\n'
        "// all.a.comment\n"
        'const text = "all.a.text"\n'
        "run(all.a.one, all?.a['two'], all.a[name], typeof all.a.three._args)\n" + "const x = 1;\n" * 60_000
    )
    assert shown(find(repository(tmp_path, {"src/large.ts": text})), several=False) == [
        "src/large.ts is larger than 512 KB: read without parsing it",
        "src/large.ts:4 dynamic a",
        "src/large.ts:4 member a:one",
        "src/large.ts:4 member a:three",
        "src/large.ts:4 member a:two",
    ]


def test_a_backend_may_be_reached_through_a_link_and_lie_outside(tmp_path: Path) -> None:
    root = repository(tmp_path / "web", {"src/x.ts": calling("a.linked"), "src/y.ts": calling("a.up", "../../")})
    for path in (root / "convex").iterdir():
        path.unlink()
    (root / "convex").rmdir()
    repository(tmp_path, {})
    (root / "convex").symlink_to(tmp_path / "convex")
    found = references.find(root, [tmp_path / "convex"], cache=None)
    assert [(one.function, one.backend) for one in found.references] == [
        ("a:linked", "../convex"),
        ("a:up", "../convex"),
    ]


@pytest.mark.parametrize(
    ("path", "text", "may"),
    [
        ("src/page.ts", 'import { internal } from "../convex/_generated/api"\nrun(internal.a.b)', False),
        ("src/page.test.ts", 'import { internal } from "../convex/_generated/api"\nrun(internal.a.b)', True),
        ("convex/jobs.ts", 'import { internal } from "./_generated/api"\nrun(internal.a.b)', True),
        ("scripts/seed.sh", "convex run a:b", True),
    ],
)
def test_some_places_may_call_internal_functions(tmp_path: Path, path: str, text: str, *, may: bool) -> None:
    found = find(repository(tmp_path, {path: text}))
    assert [(one.function, one.visibility, one.may_be_internal) for one in found.references] == [
        ("a:b", "internal", may)
    ]


TEXTS = [path.read_bytes() for case in CASES for path in case.rglob("*.ts*") if path.is_file()]


@given(st.sampled_from(TEXTS), st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 60), st.binary(max_size=4))))
@settings(max_examples=60)
def test_no_text_is_fatal(text: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    for start, length, instead in cuts:
        text = text[:start] + instead + text[start + length :]
    with TemporaryDirectory() as folder:
        root = repository(Path(folder), {"src/x.tsx": text, "src/good.ts": calling("a.good")})
        assert "src/good.ts:2 member a:good" in shown(find(root), several=False)


WRONG_SETTINGS = [
    *("", "[]", "{", "nul\0", "[" * 5000, '{"exports": 1, "name": []}'),
    '{"compilerOptions": {"paths": {"@/*": 1, "$x": [2]}, "baseUrl": 3}, "references": 4, "extends": ["./x.json", 5]}',
    '{"name": "x", "exports": {".": [{"a": 1}, null]}, "imports": {"#x": [3]}, "scripts": [], "main": {}}',
]


@pytest.mark.parametrize("name", ["package.json", "tsconfig.json", ".gitignore"])
@pytest.mark.parametrize("text", WRONG_SETTINGS)
def test_no_settings_are_fatal(tmp_path: Path, name: str, text: str) -> None:
    root = repository(
        tmp_path,
        {
            name: text,
            "src/good.ts": calling("a.good"),
            "src/x.ts": 'import {api} from "x"\nimport {api as b} from "#x"',
        },
    )
    assert "src/good.ts:2 member a:good" in shown(find(root), several=False)


def test_code_nested_as_deeply_as_none_is(tmp_path: Path) -> None:
    text = calling("a.b") + "export const " + "{ x: " * 3000 + "y" + " }" * 3000 + " = api\n"
    found = find(repository(tmp_path, {"src/deep.ts": text, "src/good.ts": calling("a.good")}))
    assert shown(found, several=False) == ["src/deep.ts is nested too deeply to be read", "src/good.ts:2 member a:good"]


def test_python_that_cannot_be_read_is_said_and_no_warning_of_its_is_ours(tmp_path: Path) -> None:
    client = "from convex import ConvexClient\n"
    deep = client + "x = " + "-" * 200_000 + "1\n"
    root = repository(
        tmp_path,
        {
            "deep.py": deep,
            "escape.py": client + 'ConvexClient(u).query("a:b", "\\d")\n',
            "nul.py": client + " " * 9000 + "\0",
        },
    )
    lines = shown(find(root), several=False)
    assert lines[1] == "escape.py:2 string a:b"
    assert [line.split()[0] for line in lines] == ["deep.py", "escape.py:2", "nul.py"]


def settle(root: Path) -> None:
    """Make every file as old as the cache needs to trust it."""
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            stat = path.stat()
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns - 10**10))


BASE: dict[str, str | bytes] = {
    "package.json": '{"name": "app"}',
    "src/lib/backend.ts": 'export { api as server } from "../../convex/_generated/api"\n',
    "src/lib/index.ts": 'export * from "./backend"\n',
    "src/page.ts": 'import { server } from "./lib"\nrun(server.a.one)\n',
    "src/plain.ts": 'import { other } from "./lib"\nother.a.two\n',
    "src/quiet.ts": 'import { backend } from "./more"\nrun(backend.a.three)\n',
    "src/more.ts": "export const backend = 1\n",
    "seed.sh": "convex run a:seed\n",
}
EDITS: list[tuple[str, str | None]] = [
    ("src/page.ts", 'import { server } from "./lib"\n\nrun(server.a.moved)\n'),
    ("src/page.ts", None),
    ("src/lib/backend.ts", 'export { api as other } from "../../convex/_generated/api"\n'),
    ("src/lib/backend.ts", 'export { internal as server } from "../../convex/_generated/api"\n'),
    ("src/lib/index.ts", 'export { server as other } from "./backend"\n'),
    ("src/lib/index.ts", None),
    ("src/lib.ts", "export const server = 1\n"),
    ("src/more.ts", 'export { api as backend } from "../convex/_generated/api"\n'),
    ("src/more.ts", 'import { server } from "./lib"\nexport const backend = server\n'),
    ("convex/a/b.ts", "export {}\n"),
    ("convex/a/one.ts", "export {}\n"),
    ("seed.sh", "convex run a:other\n"),
    ("tsconfig.json", '{"compilerOptions": {"paths": {"./lib": ["./none"], "@x": ["./convex/_generated/api"]}}}'),
    ("src/door.ts", 'import { api } from "@x"\nrun(api.a.four)\n'),
    (".gitignore", "src/page.ts\n"),
    ("src/large.ts", calling("a.large") + "const x = 1;\n" * 50_000),
    ("convex/_generated/api.d.ts", ""),
]


@pytest.mark.parametrize(
    "edit", EDITS, ids=lambda edit: f"{edit[0]} {'without' if edit[1] is None else edit[1][:40]!r}"
)
def test_what_is_remembered_is_what_would_be_read(tmp_path: Path, edit: tuple[str, str | None]) -> None:
    root, cache = repository(tmp_path / "app", BASE), tmp_path / "cache"
    (root / ".git").mkdir()
    settle(root)
    before = find(root, cache=cache)
    assert (before, before) == (find(root), find(root, cache=cache))
    name, text = edit
    change(root, name, text)
    assert find(root, cache=cache) == find(root)
    assert find(root, cache=cache) == find(root)
    change(root, name, None if name not in BASE else str(BASE[name]))
    assert find(root, cache=cache) == before


def change(root: Path, name: str, text: str | None) -> None:
    if text is None:
        (root / name).unlink()
    else:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@given(st.lists(st.sampled_from(EDITS), min_size=2, max_size=6))
@settings(max_examples=20)
def test_edits_in_any_order_are_seen(edits: list[tuple[str, str | None]]) -> None:
    with TemporaryDirectory() as folder:
        root, cache = repository(Path(folder, "app"), BASE), Path(folder, "cache")
        for name, text in edits:
            settle(root)
            if text is not None or (root / name).exists():
                change(root, name, text)
            assert find(root, cache=cache) == find(root)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 1}', b'{"version": 0}', b"\xff\xfe"])
def test_a_cache_that_is_damaged_only_costs_time(tmp_path: Path, content: bytes) -> None:
    root, cache = repository(tmp_path / "app", BASE), tmp_path / "cache"
    expected = find(root, cache=cache)
    (saved,) = cache.iterdir()
    saved.write_bytes(content)
    assert find(root, cache=cache) == expected
    assert [path.name for path in cache.iterdir()] == [saved.name]


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    root = repository(tmp_path / "app", BASE)
    (tmp_path / "file").write_text("")
    assert find(root, cache=tmp_path / "file") == find(root)


def test_a_file_that_cannot_be_opened_is_named_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(source.Unread, match=r"^could not be read: no such file or directory$"):
        source.read(str(tmp_path / "gone.ts"))
