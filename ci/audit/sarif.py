"""Pure: what an audit found as SARIF 2.1.0, which code scanning services take in."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

from ci.audit import registry
from ci.audit.model import Finding, Place, Skipped
from ci.audit.result import Result
from ci.audit.rule import Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def document(result: Result) -> dict[str, Any]:
    """Return one run, with every rule there is, and what was not read as notifications."""
    skipped = [_notification(one) for one in result.skipped]
    run = {
        "tool": {"driver": {"name": "Lockstep", "rules": [_rule(registry.load(id).RULE) for id in registry.ids()]}},
        "originalUriBaseIds": {"SRCROOT": {"uri": result.root.resolve().as_uri() + "/"}},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": skipped}],
        "results": [_result(finding) for finding in result.findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    from ci.audit import manual

    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "help": {"text": manual.section(rule), "markdown": manual.section(rule)},
        "defaultConfiguration": {"level": rule.severity},
    }


def _result(finding: Finding) -> dict[str, Any]:
    return {
        "ruleId": finding.rule,
        "level": finding.severity,
        "message": {"text": f"{finding.message}\n{finding.hint}"},
        "locations": [_location(finding.at)],
        "partialFingerprints": {"lockstep/v1": _fingerprint(finding)},
        "properties": {
            "status": finding.status,
            "confidence": finding.confidence,
            "job": finding.job,
            "step": finding.step,
        },
        **({"codeFlows": [_flow(finding)]} if finding.chain else {}),
    }


def _flow(finding: Finding) -> dict[str, Any]:
    way = [{"location": {**_location(link.at), "message": {"text": link.text}}} for link in finding.chain]
    return {"threadFlows": [{"locations": way}]}


def _location(at: Place) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(at.path), "uriBaseId": "SRCROOT"},
            "region": {"startLine": at.line, "startColumn": at.column},
        }
    }


def _notification(one: Skipped) -> dict[str, Any]:
    place = {"physicalLocation": {"artifactLocation": {"uri": quote(one.path), "uriBaseId": "SRCROOT"}}}
    return {"level": "warning", "message": {"text": f"not read: {one.why}"}, "locations": [place]}


def _fingerprint(finding: Finding) -> str:
    """Return what stays the same when lines move: the rule, the file, the job, the step and the way to the command."""
    parts = [finding.rule, finding.at.path, finding.job, finding.step, *(link.text for link in finding.chain)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
