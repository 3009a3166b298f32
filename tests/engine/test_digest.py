"""A run as Markdown, for the summary of a CI job: tasks, what they said, why one failed, and the graph."""

from __future__ import annotations

import re

from tests.engine.project import Project

TASKS = """
from pathlib import Path
from ci.engine import history

@step(timeout_s=20)
def first(c):
    c.run("seq 100")
    return "100 | done"
@step(timeout_s=20, pre=[first])
def second(c): raise CheckFailed("2 are missing", "look for them")
@step(timeout_s=20, pre=[first, second])
def third(c): pass
@task
def runs(c): print(history.shown(Path(history.FOLDER), "last", "markdown"))
"""
FENCE = "`" * 8
DIGEST = f"""\
## `inv third`: failed (4), N s

| task | | seconds | |
|---|---|---|---|
| first | done | N | 100 \\| done |
| second | failed | N |  |
| third | not run | | |

<details><summary>first, its last 60 lines</summary>

{FENCE}text
{{numbers}}
{FENCE}
</details>

<details open><summary>second</summary>

{FENCE}text
error: 2 are missing
  hint: look for them
{FENCE}
</details>

```mermaid
graph LR
  t1["first"]:::done
  t2["second"]:::failed
  t3["third"]:::left
  t1 --> t2
  t2 --> t3
  classDef done fill:#d4f4dd,color:#111
  classDef failed fill:#f8d0d0,color:#111
  classDef left stroke-dasharray:4
```
"""


def test_a_run_is_told_as_markdown(project: Project) -> None:
    project.tasks(TASKS)
    assert project.inv("third").code == 4
    told = project.inv("runs")
    numbers = "\n".join(map(str, range(41, 101)))
    assert (told.code, re.sub(r"\b\d+\.\d\b", "N", told.stdout), told.stderr) == (0, DIGEST.format(numbers=numbers), "")
