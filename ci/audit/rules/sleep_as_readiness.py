"""A pause of fixed length where something should be asked whether it is ready."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci.audit import queries
from ci.audit.model import Finding, Place, Reached, Repository
from ci.audit.rule import Rule

RULE = Rule(
    id="sleep-as-readiness",
    severity="warning",
    title="A pause of fixed length stands in for a check that something is ready",
    happens="""On a slow day the pause is too short and what follows looks at the old site, or at none; on all other
days it is time lost. Whether it was long enough, nobody is told.""",
    fix="""Ask until the answer is right, with a limit: `curl --retry 30 --retry-delay 2 --retry-all-errors --fail
URL`.""",
    bad="""# .github/workflows/ci.yml
      - run: |
          sleep 30
          curl --fail https://app.example.com""",
    good="""# .github/workflows/ci.yml
      - run: curl --fail --retry 30 --retry-delay 2 --retry-all-errors https://app.example.com""",
)

_WAITING = {"verify", "convex", "gate", "publish", "deploy", "codegen"}
_WORD = re.compile(r"(?<![\w-])(?:do|done|until|while)(?![\w-])")
_ASKS = re.compile(r"\b(?:curl|wget|gh api|gh run)\b")
_SAYS = re.compile(r"\s*(?:(?:echo|printf)\b.*)?$")
_COMMENT = re.compile(r"(?:^|\s)#.*")


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each pause that what comes next waits for, but for those between two tries."""
    told: set[Place] = set()
    for one in repository.reached:
        if one.kind != "sleep" or one.at in told or _is_retry(one) or _is_in_loop(one, repository):
            continue
        if awaits := _asked_next(one, repository) or _reached_next(one, repository):
            told.add(one.at)
            message = f"{queries.step_of(one)} waits with {queries.said(one)}, however long it takes, for {awaits}"
            hint = "ask until it is ready: `curl --fail --retry 30 --retry-delay 2 --retry-all-errors <URL>`"
            yield RULE.found(queries.place(one), message, hint, confidence=one.confidence, reached=one)


def _asked_next(one: Reached, repository: Repository) -> str:
    """Return what the lines behind the pause ask, "" when they ask nothing, or ask again and again."""
    lines = repository.texts.get(one.at.path, "").split("\n")
    end = one.at.line
    if one.step and one.step.run and one.step.run.at.path == one.at.path:
        end = one.step.run.at.line + one.step.run.value.rstrip("\n").count("\n")
    behind = "\n".join(_COMMENT.sub("", line) for line in lines[one.at.line - 1 : end]).partition("sleep")[2]
    found = _ASKS.search(next((line for line in behind.split("\n")[1:] if not _SAYS.match(line)), ""))
    return f"`{found[0]}`" if found and not _WORD.search(behind, 0, behind.find(found[0])) else ""


def _reached_next(one: Reached, repository: Repository) -> str:
    """Return what is reached next in the same job, "" when it waits for nothing."""
    job = [other for other in repository.reached if other.workflow == one.workflow and other.job == one.job]
    after = [other for other in job if other.order > one.order and not other.host and other.kind != "sleep"]
    found = min(after, key=lambda other: other.order, default=None)
    is_awaited = found and found.kind in _WAITING and not (_is_in_loop(found, repository) or _asks_again(found))
    return queries.said(found) if found and is_awaited else ""


def _asks_again(one: Reached) -> bool:
    return one.kind == "verify" and any(word.startswith("--retry") for word in one.argv)


def _is_retry(one: Reached) -> bool:
    """Tell whether the pause comes after something failed, to try again."""
    return any(guard.text.startswith("!") or guard.text.endswith("fails") for guard in one.guards)


def _is_in_loop(one: Reached, repository: Repository) -> bool:
    """Tell whether the pause is one of a loop, which asks again and again."""
    lines = repository.texts.get(one.at.path, "").split("\n")
    text = lines[one.at.line - 1] if 0 < one.at.line <= len(lines) else ""
    before = [*lines[: one.at.line - 1], text[: max(text.find("sleep"), 0)]]
    start = one.step.run.at.line - 1 if one.step and one.step.run and one.step.run.at.path == one.at.path else 0
    words = _WORD.findall("\n".join(_COMMENT.sub("", line) for line in before[start:]))
    return words.count("do") > words.count("done")
