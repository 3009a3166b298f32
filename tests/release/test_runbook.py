"""Each entry of docs/runbook.md is true: its failure looks like that, leaves that live, and that command mends it."""

from __future__ import annotations

import itertools
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ci import convex
from tests.release import clouds
from tests.release.checkout import Checkout, Ended
from tests.release.production import DEPLOYMENT, Production
from tests.sandbox_fixture import ROOT

ENTRY = re.compile(
    r"^## (?P<title>.+)\n\n```\n(?P<said>(?:.+\n)+?)```\n\n"
    r"- Stopped: `(?P<step>[a-z-]+)`, (?:exit code (?P<status>\d+)|no exit code: .+)\n"
    r"- Live: the (?P<live>old release|new backend with the old site|new release)\b.*\n"
    r"- Type.*: `\./inv (?P<command>.+)`\n",
    re.MULTILINE,
)
RUNBOOK = (ROOT / "docs/runbook.md").read_text()
ENTRIES = {found["title"]: found.groupdict() for found in ENTRY.finditer(RUNBOOK)}
LIVE = {"old release": [], "new backend with the old site": ["push"], "new release": ["push", "publish"]}
NUMBERS = itertools.count(1)
LIMIT_S = 120
SITE, PUBLISH = "GET /.well-known/lockstep.json", r"POST .*/pages/projects/\w+/deployments$"
PAGE, NEW, MAIN = "example/apps/web/index.html", "example/apps/web/public/new.txt", "example/apps/web/src/main.tsx"
REPORT = "example/apps/convex/incidents.ts"
FAILING = (
    'import { internalMutation } from "./_generated/server";\nexport const run = internalMutation(async () => {%s});\n'
)

Try = Callable[[Production], Ended]


@dataclass(frozen=True)
class Failure:
    """How to bring a failure about: what the shop is then, and how a release is tried."""

    cause: Callable[[Production], Any]
    attempt: Try


@pytest.fixture(scope="module")
def shipped(production: Production) -> Production:
    ended = production.inv("deploy", "--no-browser", "--yes")
    assert ended.status == 0, ended.stderr
    return production


@pytest.fixture
def shop(shipped: Production) -> Iterator[Production]:
    """Production with a new commit of both halves to release."""
    number = next(NUMBERS)
    query = 'import { query } from "./_generated/server";\nexport const ask = query(async () => "yes");\n'
    shipped.checkout.write({f"example/apps/convex/added{number}.ts": query, NEW: str(number)})
    shipped.checkout.commit(f"Change {number}")
    shipped.checkout.sandbox.calm()
    yield shipped
    shipped.checkout.sandbox.calm()


def deployed(shop: Production) -> Ended:
    return shop.inv("deploy", "--no-browser", "--yes")


def smoked(shop: Production) -> Ended:
    return shop.inv("deploy", "--yes")


def strict(shop: Production) -> Ended:
    return shop.inv("status", "--strict")


def killed(shop: Production) -> Ended:
    """Kill a release while it publishes; return what `inv runs` tells of it."""
    checkout = shop.checkout
    argv = Checkout.inv_argv("deploy", "--no-browser", "--yes", "--target", "production")
    env = {**checkout.env, **shop.hosts, **shop.keys}
    with subprocess.Popen(
        argv, cwd=checkout.root, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as inv:
        limit = threading.Timer(LIMIT_S, inv.kill)
        limit.start()
        assert inv.stderr
        said = []
        for line in inv.stderr:
            said.append(line)
            if line == "── deploy-frontend\n":
                inv.kill()
        limit.cancel()
    assert inv.returncode == -signal.SIGKILL
    newest = checkout.inv("runs").stdout.splitlines()[0]
    return replace(checkout.ended(inv.returncode, newest, "".join(said), {}), stdout=newest)


@contextmanager
def keys(shop: Production, **changed: str | None) -> Iterator[Production]:
    """Have other secrets, None being one that is not set."""
    merged = {**shop.keys, **changed}
    yield replace(shop, keys={name: value for name, value in merged.items() if value is not None})


@contextmanager
def fault(shop: Production, **planted: Any) -> Iterator[Production]:
    shop.checkout.sandbox.plant(times=-1, **planted)
    yield shop
    shop.checkout.sandbox.control("DELETE", "faults")


@contextmanager
def committed(shop: Production, files: Mapping[str, str | None]) -> Iterator[Production]:
    """Have these files in a commit, and the old ones again in the next."""
    with shop.checkout.changed(files):
        shop.checkout.commit("Break it")
        yield shop
    shop.checkout.commit("Mend it")


def changed(shop: Production, name: str, old: str, new: str) -> dict[str, str | None]:
    text = (shop.checkout.root / name).read_text()
    assert old in text
    return {name: text.replace(old, new)}


@contextmanager
def uncommitted(shop: Production) -> Iterator[Production]:
    shop.checkout.write({NEW: "by hand"})
    yield shop
    shop.checkout.commit("Keep it")


@contextmanager
def migrating(shop: Production) -> Iterator[Production]:
    """Have a migration that throws, and then one that does not."""
    settings = (shop.checkout.root / "lockstep.toml").read_text()
    table = '\n[[migrations]]\nfunction = "failing:run"\n'
    module = "example/apps/convex/failing.ts"
    shop.checkout.write({"lockstep.toml": settings + table, module: FAILING % 'throw new Error("no");'})
    shop.checkout.commit("Migrate")
    yield shop
    shop.checkout.write({module: FAILING % ""})
    shop.checkout.commit("Mend the migration")


@contextmanager
def breaking(shop: Production) -> Iterator[Production]:
    """Have a function that asks for more than the live site gives it; what is to be released after all stays."""
    shop.checkout.write({REPORT: str(changed(shop, REPORT, *BROADER)[REPORT])})
    shop.checkout.commit("Ask for a witness")
    yield shop


def other_key(shop: Production) -> str:
    return clouds.new_backend(shop.checkout.sandbox, "prod:happy-otter-123").key


def edited(shop: Production) -> dict[str, str | None]:
    return changed(shop, ".github/workflows/ci.yml", "name: CI\n", "name: My CI\n")


def broken(shop: Production) -> dict[str, str | None]:
    page = changed(shop, PAGE, "</body>", '<script src="/broken.js"></script></body>')
    return {**page, "example/apps/web/public/broken.js": 'console.error("it hurts");\n'}


GONE = 'import { api } from "../../convex/_generated/api";\nexport const gone = api.gone.list;\n'
BROADER = ("args: { participant_id: v.id", "args: { witness: v.string(), participant_id: v.id")
EXERCISES = {
    "A secret is missing": Failure(lambda shop: keys(shop, CONVEX_DEPLOY_KEY=None), deployed),
    "A key opens another deployment": Failure(lambda shop: keys(shop, CONVEX_DEPLOY_KEY=other_key(shop)), deployed),
    "A key may not do all that a release does": Failure(
        lambda shop: keys(shop, CONVEX_DEPLOY_KEY=shop.key(DEPLOYMENT, *convex.READING)), deployed
    ),
    "There are uncommitted changes": Failure(uncommitted, deployed),
    "A cloud does not answer": Failure(lambda shop: fault(shop, match="GET /client/v4/accounts", status=503), deployed),
    "The site lets nobody in": Failure(
        lambda shop: fault(shop, server="site:sandbox", match=SITE, status=401), deployed
    ),
    "The workflow is stale": Failure(lambda shop: committed(shop, edited(shop)), deployed),
    "A function is called that there is not": Failure(
        lambda shop: committed(shop, {"example/apps/web/src/gone.ts": GONE}), deployed
    ),
    "Clients in the field would break": Failure(breaking, deployed),
    "The frontend does not build": Failure(
        lambda shop: committed(shop, changed(shop, MAIN, "createRoot(", "createRoot((")), deployed
    ),
    "The push of the functions fails": Failure(
        lambda shop: fault(shop, match="/api/deploy2/start_push", server=f"convex:{shop.backend.name}", status=500),
        deployed,
    ),
    "A migration fails": Failure(migrating, deployed),
    "The site is not published": Failure(lambda shop: fault(shop, match=PUBLISH, status=500), deployed),
    "The published page is broken": Failure(lambda shop: committed(shop, broken(shop)), smoked),
    "The run was killed": Failure(lambda shop: fault(shop, match=PUBLISH, hang=True), killed),
    "Production is not what the branch is": Failure(lambda shop: keys(shop), strict),
}


def test_every_entry_is_exercised_and_every_exercise_has_its_entry() -> None:
    assert list(ENTRIES) == re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE) == list(EXERCISES)


@pytest.mark.parametrize("title", EXERCISES)
def test_the_entry_is_true(shop: Production, title: str) -> None:
    entry, failure = ENTRIES[title], EXERCISES[title]
    with failure.cause(shop) as hurt:
        ended = failure.attempt(hurt)
        assert (shown(ended, entry["said"]), stopped(ended, entry["step"])) == (True, True), ended.stderr
        assert entry["status"] in (None, str(ended.status))
        made = clouds.changes(shop.checkout.sandbox)
        assert [change for change in made if change in ("push", "publish")] == LIVE[str(entry["live"])]
    typed = [word for word in str(entry["command"]).split() if word not in ("--target", "production")]
    expect_mended(shop, *typed)


def shown(ended: Ended, said: str) -> bool:
    """Tell whether an error begins so, whatever details come after it; of a run that was killed, what is told of it."""
    return any(f"{error}\n".startswith(said.rstrip("\n")) for error in ended.errors) or said.strip() in ended.stdout


def stopped(ended: Ended, step: str) -> bool:
    return ended.summary.get(step) == "failed" if ended.status > 0 else ended.began[-1] == step


def expect_mended(shop: Production, *typed: str) -> None:
    """Type the command; an answer to the question, and no browser, are not what it is about."""
    flags = {"deploy": ["--no-browser", "--yes"], "preflight": ["--no-browser"]}.get(typed[0], [])
    ended = shop.checkout.inv(*typed) if typed[0] == "workflow" else shop.inv(*typed, *flags)
    assert (ended.status, ended.errors) == (0, [])
