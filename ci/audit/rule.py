"""What a rule says of itself; the rules are the files of ci/audit/rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ci.audit.model import Confidence, Finding, Place, Reached

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Rule:
    """
    One rule. `ci/audit/rules/<id with _>.py` holds one as `RULE`, and `check(repository) -> Iterator[Finding]`.

    The texts are Markdown and become docs/audit.md: what happens to whom, how to fix it, and an example of each, with
    the name of its file in its first line as a comment.
    """

    id: str
    severity: Severity
    title: str  # one line: what is wrong
    happens: str
    fix: str
    bad: str
    good: str

    def found(
        self,
        at: Place,
        message: str,
        hint: str,
        *,
        status: Literal["gap", "latent", "unclear"] = "gap",
        confidence: Confidence = "high",
        reached: Reached | None = None,
    ) -> Finding:
        """Return what was found at a place; `reached` tells the job, the step and the chain."""
        return Finding(
            rule=self.id,
            severity=self.severity,
            status=status,
            confidence=confidence,
            at=at,
            message=message,
            hint=hint,
            job=reached.job.id if reached and reached.job else "",
            step=reached.step.label if reached and reached.step else "",
            chain=reached.chain if reached else (),
        )
