"""What an audit of a repository comes to: its findings, what was looked at, and what was not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from ci.audit import audit, ignore, registry
from ci.audit.model import Finding, Repository, Skipped
from ci.audit.rule import Severity
from ci.errors import CheckFailed, InputError

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
MAX_SETTINGS_BYTES = 1 << 20


@dataclass(frozen=True)
class LookedAt:
    """How much was read; scripts are those of every package.json."""

    workflows: int
    jobs: int
    steps: int
    scripts: int


@dataclass(frozen=True)
class Result:
    """What an audit found; `ignored` counts what somebody wanted left out."""

    root: Path
    looked_at: LookedAt
    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    ignored: int = 0

    def of(self, severity: str) -> list[Finding]:
        """Return the findings of one severity."""
        return [finding for finding in self.findings if finding.severity == severity]

    def refuse_errors(self) -> None:
        """
        Return when no finding is an error.

        Raises:
            CheckFailed: there are errors.
        """
        if errors := self.of("error"):
            rules = sorted({finding.rule for finding in errors})
            found = f"{len(errors)} error{'s' * (len(errors) > 1)} ({', '.join(rules)})"
            raise CheckFailed(f"the audit found {found}", hint=f"to read more: ./inv audit --explain {rules[0]}")


def top(folder: Path) -> Path:
    """Return the top of the repository that holds `folder`: workflows lie there, and nowhere else."""
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)


def check(root: Path, *, only: Collection[str] = (), skip: Collection[str] = (), min_severity: str = "note") -> Result:
    """
    Return what the rules find in the repository in `root`, the worst first; nothing of it is run.

    Raises:
        InputError: there is nothing to audit, or no rule to do it by.
    """
    rules = registry.chosen(only, skip)
    settings = _settings(root)
    repository = audit.read(root, without=settings.exclude) if root.is_dir() else Repository()
    if not (repository.workflows or repository.packages or repository.skipped):
        hint = "--root takes the folder that holds .github/workflows or package.json"
        raise InputError(f"nothing to audit: {root} has no workflow and no package.json", hint=hint)
    found = {_weighed(finding) for rule in rules for finding in rule.check(repository)}
    wishes = (*ignore.of(repository.texts), *settings.ignores)
    kept, useless = ignore.heed(sorted(found, key=_place), wishes, [rule.RULE.id for rule in rules])
    heard = SEVERITIES[: SEVERITIES.index(min_severity) + 1]
    findings = tuple(finding for finding in kept if finding.severity in heard)
    skipped = (*repository.skipped, *settings.remarks, *useless)
    return Result(root, _looked_at(repository), findings, skipped, ignored=len(found) - len(kept))


def _weighed(finding: Finding) -> Finding:
    """Return the finding no heavier than what is known: a question is a note, what nothing reaches yet no error."""
    least = {"gap": 0, "latent": 1, "unclear": 2}[finding.status]
    return replace(finding, severity=SEVERITIES[max(least, SEVERITIES.index(finding.severity))])


def _place(finding: Finding) -> tuple[object, ...]:
    return SEVERITIES.index(finding.severity), finding.at, finding.rule, finding.message


def _looked_at(repository: Repository) -> LookedAt:
    jobs = [job for workflow in repository.workflows for job in workflow.jobs]
    return LookedAt(
        workflows=len(repository.workflows),
        jobs=len(jobs),
        steps=sum(len(job.steps) for job in jobs),
        scripts=sum(len(package.scripts) for package in repository.packages),
    )


def _settings(root: Path) -> ignore.Settings:
    try:
        with (root / ignore.SETTINGS).open("rb") as file:
            return ignore.settings(file.read(MAX_SETTINGS_BYTES).decode(errors="replace"))
    except OSError:
        return ignore.Settings()
