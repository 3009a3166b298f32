"""Pure: what an audit found, as text, as JSON, as annotations of a GitHub workflow, and as SARIF."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

from ci import annotation
from ci.audit import sarif
from ci.audit.model import Finding, Link
from ci.audit.result import SEVERITIES, Result
from ci.errors import InputError

INDENT = "    "
LEVELS = {"error": "error", "warning": "warning", "note": "notice"}  # of GitHub's annotations


def shown(result: Result, how: str, *, where: str = "") -> str:
    """
    Return what was found in a format: text, json, github or sarif.

    Args:
        where: the folder of the repository as GitHub's annotations shall name it.

    Raises:
        InputError: there is no such format.
    """
    forms: dict[str, Callable[[], str]] = {
        "text": lambda: "\n".join(_text(result)),
        "json": lambda: json.dumps(document(result), indent=2),
        "github": lambda: "\n".join(_annotations(result, where)),
        "sarif": lambda: json.dumps(sarif.document(result), indent=2),
    }
    if how not in forms:
        raise InputError(f"the audit cannot be printed as {how}", hint=f"--format takes one of {', '.join(forms)}")
    return forms[how]()


def document(result: Result) -> dict[str, Any]:
    """Return what was found as data; the fields stay as they are."""
    return {
        "root": str(result.root),
        "looked_at": dataclasses.asdict(result.looked_at),
        "findings": [_finding(finding) for finding in result.findings],
        "skipped": [{"path": one.path, "why": one.why} for one in result.skipped],
    }


def summary(result: Result) -> str:
    """Return in one line how much was looked at and what came of it."""
    counts = [_count(len(result.of(severity)), severity) for severity in SEVERITIES if result.of(severity)]
    found = ", ".join(counts) or "nothing found"
    ignored = f", {result.ignored} ignored" if result.ignored else ""
    looked = ", ".join(_count(n, name[:-1]) for name, n in dataclasses.asdict(result.looked_at).items())
    return f"{found}{ignored}; looked at {looked}"


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "status": finding.status,
        "path": finding.at.path,
        "line": finding.at.line,
        "column": finding.at.column,
        "job": finding.job,
        "step": finding.step,
        "chain": [_link(link) for link in finding.chain],
        "message": finding.message,
        "hint": finding.hint,
    }


def _text(result: Result) -> Iterator[str]:
    for finding in result.findings:
        yield from _paragraph(finding)
        yield ""
    yield from (f"not read: {one.path}: {one.why}" for one in result.skipped)
    yield summary(result)


def _paragraph(finding: Finding) -> Iterator[str]:
    at = finding.at
    known = {"gap": "", "latent": ", latent", "unclear": ", unclear"}[finding.status]
    known += ", read from a program" * (finding.confidence == "low")
    yield f"{at.path}:{at.line}:{at.column}: {finding.severity}[{finding.rule}{known}] {finding.message}"
    if finding.job and not finding.chain:  # which begins with them
        yield f"{INDENT}in   job {finding.job}" + (f", step {finding.step}" if finding.step else "")
    for number, link in enumerate(finding.chain):
        yield f"{INDENT}{'     ' if number else 'via  '}{_link(link)}"
    for number, line in enumerate(finding.hint.splitlines()):
        yield f"{INDENT}{'      ' if number else 'hint: '}{line}"


def _link(link: Link) -> str:
    return f"{link.at.path}:{link.at.line} {link.text}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _annotations(result: Result, where: str) -> Iterator[str]:
    start = f"{where}/" if where not in ("", ".") else ""
    for finding in result.findings:
        said = "\n".join([finding.message, *map(_link, finding.chain), finding.hint])
        title = finding.rule if finding.status == "gap" else f"{finding.rule} ({finding.status})"
        at = finding.at
        yield annotation.command(
            LEVELS[finding.severity], said, file=start + at.path, line=at.line, col=at.column, title=title
        )
    for one in result.skipped:
        yield annotation.command("notice", f"not read: {one.why}", file=start + one.path, title="audit")
    yield summary(result)
