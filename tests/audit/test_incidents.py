"""
The two incidents that this project was made for, replayed on variants of the example.

Each folder of `incidents/` is what changed at one attempt, told by its name; the rest is the example. For the second
incident its backend generates its types in a `build` script, as the app of the incident did.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from ci.audit import result

HERE = Path(__file__).parent / "incidents"
EXAMPLE = Path(__file__).parents[2] / "example"
INSTALLED = shutil.ignore_patterns("node_modules", "dist", "_generated", ".turbo", ".wrangler")

# The steps that reach code generation by themselves, and those where only turbo leads there.
DIRECT = {"test / Generate Convex files", "deploy-convex / Generate Convex files"}
THROUGH_TURBO = {
    "test / Run type checks",
    "test / Run linter",
    "test / Run tests",
    "build / Build application",
    "deploy / Build application",
}
KEYLESS = {
    "1-nothing": DIRECT | THROUGH_TURBO,
    "2-the-url": DIRECT | THROUGH_TURBO,
    "3-the-deployment": DIRECT | THROUGH_TURBO,
    "4-no-codegen-in-test": (DIRECT | THROUGH_TURBO) - {"test / Generate Convex files"},
    "5-the-key-once": (DIRECT | THROUGH_TURBO) - {"test / Generate Convex files"},
    "6-the-key-twice": (DIRECT | THROUGH_TURBO) - {"test / Generate Convex files", "test / Run type checks"},
    "7-the-key-everywhere": set(),
    "8-and-through-turbo": set(),
    "9-and-no-production-key-in-checks": set(),
}


def variant(place: Path, attempt: str) -> Path:
    """Return the example as it was at an attempt."""
    root = shutil.copytree(EXAMPLE, place / "app", ignore=INSTALLED)
    if attempt.startswith("codegen"):
        package = root / "apps/convex/package.json"
        said = json.loads(package.read_text())
        said["scripts"]["build"] = "bun x convex codegen"
        package.write_text(json.dumps(said, indent=2))
    return Path(shutil.copytree(HERE / attempt, root, dirs_exist_ok=True))


def found(root: Path, only: Sequence[str] = ()) -> list[tuple[str, str, str]]:
    """Return rule, status and place of each finding: the step, else the file."""
    return sorted(
        (one.rule, one.status, f"{one.job} / {one.step}" if one.job else one.at.path)
        for one in result.check(root, only=only).findings
    )


@pytest.mark.parametrize(("attempt", "steps"), KEYLESS.items(), ids=KEYLESS)
def test_each_step_that_reaches_codegen_without_a_key_is_named(tmp_path: Path, attempt: str, steps: set[str]) -> None:
    root = variant(tmp_path, f"codegen-without-key/{attempt}")
    assert found(root, only=["convex-without-key"]) == [("convex-without-key", "gap", step) for step in sorted(steps)]


@pytest.mark.parametrize("attempt", [name for name in KEYLESS if name < "8"])
def test_that_turbo_would_take_the_key_away_is_said_from_the_first_attempt_on(tmp_path: Path, attempt: str) -> None:
    root = variant(tmp_path, f"codegen-without-key/{attempt}")
    assert {(rule, status) for rule, status, _ in found(root, only=["turbo-drops-key"])} == {("turbo-drops-key", "gap")}


def test_where_the_team_stopped_a_production_key_is_still_handed_to_pull_requests(tmp_path: Path) -> None:
    root = variant(tmp_path, "codegen-without-key/8-and-through-turbo")
    assert {rule for rule, _, _ in found(root)} == {"deploy-key-on-pull-request"}


@pytest.mark.parametrize(
    ("attempt", "rules"),
    [
        ("backend-not-in-ci/1-frontend-only", {"backend-not-deployed"}),
        ("backend-not-in-ci/2-both-at-once", {"frontend-before-backend"}),
        ("backend-not-in-ci/3-backend-first", set()),
        ("codegen-without-key/9-and-no-production-key-in-checks", set()),
    ],
)
def test_of_a_release_in_ci_the_gap_is_named_and_nothing_else(tmp_path: Path, attempt: str, rules: set[str]) -> None:
    assert {rule for rule, _, _ in found(variant(tmp_path, attempt))} == rules
