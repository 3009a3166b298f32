"""What the rules say of themselves, as Markdown: docs/audit.md, and `inv audit --explain`."""

from __future__ import annotations

import inspect
from pathlib import PurePosixPath

from ci.audit import registry
from ci.audit.rule import Rule

ALL = "all"
LANGUAGES = {
    ".yml": "yaml",
    ".yaml": "yaml",
    ".json": "jsonc",
    ".jsonc": "jsonc",
    ".toml": "toml",
    ".sh": "sh",
    ".ts": "ts",
}
HEAD = """
# The audit

`./inv audit` reads the workflows and scripts of a repository, runs nothing of them, and says what will go wrong, where,
and what to write instead; `--root DIR` points it at any repository, `--format` is text, json, github or sarif.
It exits with 4 when it finds an error, with 2 when there is nothing to audit, and else with 0.

What is wrong is a **gap**. As long as no workflow reaches it, it is **latent**, and no more than a warning. What
depends on things outside the repository is **unclear**: a note, with the question to answer.

Where you know better, say so and why, on the line or above it: `# lockstep: ignore[rule, other-rule] reason`. JSON has
no comments; for it, there is `lockstep.toml` at the root, which also names the folders that are not to be read:

```toml
[audit]
ignore = [{ rule = "...", path = "package.json", reason = "..." }]
exclude = ["tests/fixtures"]
```

This file is made from the rules: `./inv audit --explain all > docs/audit.md`.
"""


def explain(id: str) -> str:
    """Return what there is to know of one rule, or of all of them."""
    return document() if id == ALL else section(registry.load(id).RULE)


def document() -> str:
    """Return docs/audit.md."""
    rules = [registry.load(id).RULE for id in registry.ids()]
    table = ["| rule | severity | what is wrong |", "|---|---|---|"]
    table += [f"| [{rule.id}](#{rule.id}) | {rule.severity} | {rule.title} |" for rule in rules]
    return "\n\n".join([HEAD.strip(), "\n".join(table), *map(section, rules)])


def section(rule: Rule) -> str:
    """Return what there is to know of one rule."""
    happens, fix = inspect.cleandoc(rule.happens), inspect.cleandoc(rule.fix)
    parts = [f"## {rule.id}", f"{rule.title} ({rule.severity})", happens, _example(rule.bad)]
    return "\n\n".join([*parts, fix, _example(rule.good)])


def _example(text: str) -> str:
    """Return an example, in the language of the file that its first line names."""
    code = inspect.cleandoc(text)
    name = code.partition("\n")[0].removeprefix("//").removeprefix("#").strip()
    return f"```{LANGUAGES.get(PurePosixPath(name).suffix, '')}\n{code}\n```"
