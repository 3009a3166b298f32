"""A package manager whose version CI picks by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci.audit import queries
from ci.audit.model import Finding, Place, Reached, Repository, Text
from ci.audit.rule import Rule

RULE = Rule(
    id="unpinned-package-manager",
    severity="warning",
    title="CI takes another version of the package manager than everybody else",
    happens="""A release of the package manager changes how it reads the lock file, and CI fails on a commit that has
nothing to do with it, or passes where it should not; nobody can repeat it at home.""",
    fix="""Name the version once, as `packageManager` in the root's package.json, and let the setup action read it:
without a version of their own, oven-sh/setup-bun and pnpm/action-setup do.""",
    bad="""# .github/workflows/ci.yml
      - uses: oven-sh/setup-bun@v2
        with:
          bun-version: latest""",
    good="""# package.json
{ "packageManager": "bun@1.3.1" }

# .github/workflows/ci.yml
      - uses: oven-sh/setup-bun@v2""",
)

_INPUTS = {"bun": "bun-version", "pnpm": "version"}
_FILES = {"bun": "bun-version-file", "pnpm": "package_json_file"}
_FLOATING = {"latest", "canary", "*", "next", "next-10", "next-11", "main"}
_VARIABLE = re.compile(r"\$\{\{\s*env\.(\w+)\s*\}\}")
_VERSION = re.compile(r"\d+(?:\.\d+)*")


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each setup of bun or pnpm that is not of the version which is pinned."""
    pinned = next((one.manager for one in repository.packages if not one.folder), None)
    told: set[Place] = set()
    for one in repository.reached:
        if one.kind != "setup" or one.tool not in _INPUTS or "/" not in one.argv[0]:
            continue
        given = one.given.get(_INPUTS[one.tool])
        at = given.at if given else queries.place(one)
        why = _why(one, given, _pinned(one.tool, pinned))
        if why and at not in told:
            told.add(at)
            message = f"{queries.step_of(one)} sets up {one.tool} {why}"
            yield RULE.found(at, message, _hint(one.tool, given, pinned), reached=one)


def _pinned(tool: str, manager: Text | None) -> str:
    name, _, version = manager.value.partition("@") if manager else ("", "", "")
    return version.partition("+")[0] if name == tool else ""


def _why(one: Reached, given: Text | None, pinned: str) -> str:
    """Return what is wrong with the version, "" when nothing is."""
    if given is None:
        is_read = bool(pinned) or _FILES[one.tool] in one.given
        return "" if is_read else "without a version, and package.json has no `packageManager` that names one"
    asked = _VARIABLE.sub(lambda match: _value(one, match[1]) or match[0], given.value).strip().removeprefix("bun-v")
    if asked.lower() in _FLOATING or not asked:
        return f'"{asked}", whatever that is today' if asked else "without a version"
    if pinned and "$" not in asked and not _agrees(asked, pinned):
        return f"{asked}, but package.json asks for {pinned}"
    return ""


def _value(one: Reached, name: str) -> str:
    text = one.step.env.get(name) if one.step else None
    return text.value if text else ""


def _agrees(asked: str, pinned: str) -> bool:
    """Tell whether a version, or its beginning, may be the one that is pinned."""
    found = _VERSION.search(asked)
    if found is None:
        return True
    return not asked[0].isdigit() or f"{pinned}.".startswith(f"{found[0]}.")


def _hint(tool: str, given: Text | None, pinned: Text | None) -> str:
    if pinned and _pinned(tool, pinned):
        return f"remove `{_INPUTS[tool]}`, so that `packageManager` is read" if given else "set its version"
    take = f" and remove `{_INPUTS[tool]}`" if given else ""
    return f'add `"packageManager": "{tool}@<the version that you use>"` to the root\'s package.json{take}'
