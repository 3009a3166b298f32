"""
Whatever a repository holds, an audit of it ends, and ends in words.

LOCKSTEP_FUZZ=20000 and --hypothesis-profile=explore try more than a test run has time for.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ci.audit import printing, result
from ci.errors import InputError

HERE = Path(__file__).parent
TRIES = int(os.environ.get("LOCKSTEP_FUZZ", "100"))

SEED = {
    path.relative_to(HERE / "seed").as_posix(): path.read_text()
    for path in (HERE / "seed").rglob("*")
    if path.is_file()
}
PIECES = (
    *("", " ", "\n", "\t", "\r", "\0", "\ufeff", "\u2028", "é🎉", "# lockstep: ignore[two-deployers] x\n", "1e999"),
    *("&a ", "*a", "<<: *a", "- ", ": ", "? ", "|\n", ">-\n", "!!binary ", "---\n", "...\n", "%YAML 9.9\n", "null"),
    *("{", "}", "[", "]", '"', "'", "`", ",", "//", "/*", "\\", "$", "${{ ", " }}", "${{ inputs.folder }}", "$(", ")"),
    *("&&", "||", ";", "|", "&", "!", "<<EOF\n", "if true; then ", "fi", "case x in ", "esac", "for x in ", "done"),
    *("on: push\n", "on:\n", "jobs: []\n", "needs: [deploy, test]\n", "if: always()\n", "if: ${{ !cancelled() &&\n"),
    *("uses: ./.github/actions/ship", "uses: ./.github/workflows/called.yml", "uses: ./../../..", "run: make ship\n"),
    *("bun run build", "turbo run build", "npx convex codegen", "wrangler pages deploy", "sh scripts/after.sh", "true"),
    *('"scripts": 3, ', '"build": {}, ', '"dependsOn": ["build"], ', '"extends": ["web"], ', '"workspaces": ["**"], '),
    *("[" * 3000, '{"a":' * 3000, "- " * 3000, "(" * 3000, "$(" * 1000, "a" * 70_000, "!" * 3000, "${{ " + "(" * 3000),
)  # fmt: skip


@st.composite
def repositories(draw: st.DrawFn) -> dict[str, str]:
    """Return the seed with some of its files cut, overwritten, or put in the place of others."""
    files = dict(SEED)
    for path in draw(st.lists(st.sampled_from(sorted(files)), min_size=1, max_size=3)):
        text = files[draw(st.sampled_from(sorted(files)))] if draw(st.integers(0, 9)) == 0 else files[path]
        for _ in range(draw(st.integers(1, 4))):
            at = draw(st.integers(0, len(text)))
            cut = draw(st.sampled_from((0, 0, 1, 3, 20, 1 << 20)))
            text = text[:at] + draw(st.sampled_from(PIECES)) + text[at + cut :]
        files[path] = text
    return files


def written(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, newline="")
    return root


def expect_told(root: Path) -> str:
    """Audit, print in each form, and return what is said."""
    try:
        found = result.check(root)
    except InputError as error:  # as where .gitignore leaves out everything
        return f"{error}: {error.hint}"
    shown = [printing.shown(found, how) for how in ("text", "json", "github", "sarif")]
    assert all(printing.summary(found) in text for text in (shown[0], shown[2]))
    return printing.summary(found)


@settings(max_examples=TRIES, suppress_health_check=[HealthCheck.too_slow])
@given(repositories())
def test_any_repository_is_audited_to_the_end(files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(prefix="lockstep-fuzz-") as folder:
        said = expect_told(written(Path(folder), files))
    assert said.startswith("nothing to audit") or "looked at" in said


def test_the_seed_itself_is_read_whole(tmp_path: Path) -> None:
    found = result.check(written(tmp_path, SEED))
    assert (found.looked_at.workflows, [one for one in found.skipped if "invalid" in one.why]) == (2, [])
