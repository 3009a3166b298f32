"""What is shipped and where to: lockstep.toml, the .env files and the environment, as typed values."""

from __future__ import annotations

import dataclasses
import difflib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ci.errors import InputError, LockstepError, Problems
from ci.secret import Secret

ROOT = Path(__file__).resolve().parents[1]
CONVEX_PROVISION_HOST = "https://api.convex.dev"
CLOUDFLARE_API = "https://api.cloudflare.com/client/v4"
SANDBOX = "sandbox"

T = TypeVar("T")


@dataclass(frozen=True)
class App:
    """The monorepo to ship; paths are relative to `root`, which is relative to lockstep.toml."""

    root: str
    backend: str = "apps/convex"
    frontend: str = "apps/web"
    dist: str = "apps/web/dist"
    backend_url_variable: str = "VITE_CONVEX_URL"
    prerender: bool = False
    scripts: Mapping[str, str] = field(default_factory=dict)

    def script(self, kind: str) -> str:
        """Return the package script for "lint", "typecheck", "test" or "build"; "" means that the app has none."""
        return self.scripts.get(kind, kind)

    @property
    def folder(self) -> Path:
        """Return the monorepo's root folder."""
        return (ROOT / self.root).resolve()

    @property
    def backend_folder(self) -> Path:
        """Return the folder of the backend package, where the Convex CLI runs."""
        return self.folder / self.backend

    @property
    def frontend_folder(self) -> Path:
        """Return the folder of the frontend package."""
        return self.folder / self.frontend

    @property
    def dist_folder(self) -> Path:
        """Return the folder that is published."""
        return self.folder / self.dist


@dataclass(frozen=True)
class Migration:
    """
    A function to run once on a deployment; `done` names a query that answers true when background work has ended.

    `skip` says why it is not to be run after all.
    """

    function: str
    done: str = ""
    skip: str = ""


@dataclass(frozen=True)
class Smoke:
    """What the browser check overlooks: `ignore` holds parts of messages and URLs of third parties."""

    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workflow:
    """
    How CI runs: Nox sessions that must pass beside `check`, how many targets of a branch are released at a time, and
    when drift is looked for (cron, in UTC).
    """

    sessions: tuple[str, ...] = ()
    max_parallel: int = 1
    drift: str = "23 5 * * *"


@dataclass(frozen=True)
class Settings:
    """One [targets.NAME] table of lockstep.toml; `variables` are those of the sandbox's deployments."""

    convex_deployment: str = ""
    pages_project: str = ""
    pages_branch: str = "main"
    site: str = ""
    public_variables: Mapping[str, str] = field(default_factory=dict)
    smoke_headers: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Backend:
    """A Convex deployment ("prod:graceful-shrimp-355") and the key that is said to open it."""

    deployment: str
    deploy_key: Secret
    provision_host: str = CONVEX_PROVISION_HOST


@dataclass(frozen=True)
class Frontend:
    """A Cloudflare Pages project, the token that may change it, and the address people open."""

    project: str
    branch: str
    site: str
    account_id: str
    api_token: Secret
    api: str = CLOUDFLARE_API


@dataclass(frozen=True)
class Target:
    """Where a release goes: one backend, one frontend, and the values that are built into the site."""

    name: str
    backend: Backend
    frontend: Frontend
    public_variables: Mapping[str, str]
    smoke_headers: Mapping[str, Secret]

    @property
    def is_sandbox(self) -> bool:
        """Tell whether this is the stand-in on this machine, which holds nothing of value."""
        return self.name == SANDBOX


@dataclass(frozen=True)
class Config:
    """lockstep.toml as it stands, and the folder that holds Lockstep's own state."""

    app: App
    targets: Mapping[str, Settings]
    migrations: tuple[Migration, ...]
    smoke: Smoke
    state: Path
    workflow: Workflow = Workflow()

    def target_name(self, name: str = "") -> str:
        """Return `name`, else LOCKSTEP_TARGET, else the sandbox."""
        return name or os.environ.get("LOCKSTEP_TARGET", "") or SANDBOX

    def target(self, name: str = "") -> Target:
        """
        Return the target called `name`, or the default one, with its secrets.

        Secrets that are not set are empty: whoever needs them says which, all together.

        Raises:
            InputError: lockstep.toml has no such target, or the sandbox is not running.
        """
        name = self.target_name(name)
        self.check_target(name)
        settings = self.targets[name]
        values = environment(name)
        if name == SANDBOX:
            return self._sandbox(settings, values)
        backend = Backend(
            settings.convex_deployment,
            Secret(values.get("CONVEX_DEPLOY_KEY", "")),
            values.get("CONVEX_PROVISION_HOST") or CONVEX_PROVISION_HOST,
        )
        frontend = Frontend(
            settings.pages_project,
            settings.pages_branch,
            settings.site.rstrip("/"),
            values.get("CLOUDFLARE_ACCOUNT_ID", ""),
            Secret(values.get("CLOUDFLARE_API_TOKEN", "")),
            values.get("CLOUDFLARE_API_BASE_URL") or CLOUDFLARE_API,
        )
        return Target(name, backend, frontend, settings.public_variables, _headers(settings, values))

    def check_target(self, name: str) -> None:
        """
        Return when lockstep.toml has a target of this name.

        Raises:
            InputError: it has not.
        """
        if name not in self.targets:
            raise InputError(
                f"unknown target {name}{suggestion(name, self.targets)}",
                hint=f"the targets of lockstep.toml are: {', '.join(self.targets)}",
            )

    def code_generation(self) -> Backend:
        """Return the sandbox's deployment for code generation: whatever the target, no real key is needed."""
        return _sandbox_backend(_endpoints(self.state), "codegen")

    def sandbox_variables(self) -> Mapping[str, str]:
        """Return the environment variables that the sandbox's deployments are given."""
        return self.targets[SANDBOX].variables

    def sandbox_control(self) -> str:
        """Return the base URL of the sandbox's control plane."""
        return str(_endpoints(self.state)["control_url"])

    def _sandbox(self, settings: Settings, values: Mapping[str, str]) -> Target:
        found = _endpoints(self.state)
        pages = found["pages"]
        frontend = Frontend(
            pages["project"],
            pages["production_branch"],
            pages["site"],
            pages["account_id"],
            Secret(pages["api_token"]),
            pages["api_base_url"],
        )
        backend = _sandbox_backend(found, "production")
        return Target(SANDBOX, backend, frontend, settings.public_variables, _headers(settings, values))


def load(path: Path = ROOT / "lockstep.toml") -> Config:
    """
    Return the configuration in `path`.

    Raises:
        Problems: every unknown key, wrong type and missing value, together.
    """
    # Imported when first used, as other modules here: what only lists the tasks need not wait for it.
    import tomllib

    try:
        document = tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise InputError(f"{path.name} is missing", hint="restore it: git checkout lockstep.toml") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path.name} is not valid TOML: {error}", hint=f"mend {path.name} there") from error
    problems: list[LockstepError] = []
    app = _build(App, document.pop("app", {}), "app", problems)
    smoke = _build(Smoke, document.pop("smoke", {}), "smoke", problems)
    workflow = _build(Workflow, document.pop("workflow", {}), "workflow", problems)
    document.pop("audit", None)  # read by the audit itself, in whatever repository it looks at
    tables = document.pop("targets", {})
    targets = {name: _build(Settings, table, f"targets.{name}", problems) for name, table in tables.items()}
    targets.setdefault(SANDBOX, Settings())
    steps = document.pop("migrations", [])
    migrations = tuple(_build(Migration, table, f"migrations[{i}]", problems) for i, table in enumerate(steps))
    problems += [_unknown(key, "", _TABLES) for key in document]
    problems += [missing for name, settings in targets.items() for missing in _incomplete(name, settings)]
    if problems:
        raise Problems(problems)
    return Config(app, targets, migrations, smoke, ROOT / ".lockstep", workflow)


def environment(target: str) -> dict[str, str]:
    """
    Return the variables for `target`: .env.lockstep.<target>, then .env, and the process environment over both.

    LOCKSTEP_ENV_FILES names other files instead, separated by ":"; empty means none. Values are not interpolated.
    """
    values: dict[str, str] = {}
    for found in _env_files(target).values():
        values |= found
    return values | os.environ


def places(target: str) -> dict[str, str]:
    """Return where each variable for `target` is taken from: a file's name, or "the environment"."""
    found = {key: name for name, values in _env_files(target).items() for key in values}
    return found | dict.fromkeys(os.environ, "the environment")


def _env_files(target: str) -> dict[str, dict[str, str]]:
    """Return what each file says, by its name; a later one wins."""
    import dotenv

    names = os.environ.get("LOCKSTEP_ENV_FILES", f".env.lockstep.{target}:.env")
    read = {name: dotenv.dotenv_values(ROOT / name, interpolate=False) for name in names.split(":") if name}
    return {name: {key: value or "" for key, value in found.items()} for name, found in reversed(read.items())}


def suggestion(word: str, known: Mapping[str, Any] | tuple[str, ...]) -> str:
    """Return " (did you mean X?)", or nothing when no known word is close."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _build(kind: type[T], table: Any, where: str, problems: list[LockstepError]) -> T:
    """Return a `kind` made of a TOML table; what does not fit is added to `problems` and left out."""
    if not isinstance(table, dict):
        problems.append(InputError(f"lockstep.toml: {where} is not a table", hint=f"write [{where}]"))
        table = {}
    fields = {item.name: item for item in dataclasses.fields(kind)}  # type: ignore[arg-type]  # kind is a dataclass
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in fields:
            problems.append(_unknown(key, f"{where}.", tuple(fields)))
            continue
        wanted = _SHAPES[str(fields[key].type)]
        if wanted.fits(value):
            values[key] = tuple(value) if isinstance(value, list) else value
        else:
            problems.append(InputError(f"lockstep.toml: {where}.{key} is {value!r}", hint=f"write {wanted.words}"))
    required = [name for name, item in fields.items() if _is_required(item) and name not in values]
    for name in required:
        if name not in table:
            problems.append(InputError(f"lockstep.toml: {where}.{name} is missing", hint=f"add {name} = ..."))
        values[name] = ""
    return kind(**values)


@dataclass(frozen=True)
class _Shape:
    words: str
    kind: type
    item: type | None = None

    def fits(self, value: Any) -> bool:
        if isinstance(value, bool):  # which is an int, too
            return self.kind is bool
        items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return isinstance(value, self.kind) and (self.item is None or all(isinstance(x, self.item) for x in items))


_TABLES = ("app", "workflow", "audit", "smoke", "targets", "migrations")
_SHAPES = {
    "str": _Shape("a text in quotes", str),
    "bool": _Shape("true or false", bool),
    "int": _Shape("a whole number", int),
    "tuple[str, ...]": _Shape("a list of texts", list, str),
    "Mapping[str, str]": _Shape('a table of texts, such as { NAME = "value" }', dict, str),
}


def _is_required(item: dataclasses.Field[Any]) -> bool:
    return item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING


def _unknown(key: str, where: str, known: tuple[str, ...]) -> InputError:
    return InputError(
        f"lockstep.toml: unknown setting {where}{key}{suggestion(key, known)}",
        hint=f"the settings there are: {', '.join(known)}",
    )


def _incomplete(name: str, settings: Settings) -> list[InputError]:
    """Return what a target lacks, or has too much; the sandbox knows its own addresses."""
    if name == SANDBOX:
        return []
    examples = {
        "convex_deployment": "prod:graceful-shrimp-355",
        "pages_project": "my-app",
        "site": "https://app.example.com",
    }
    missing = [
        InputError(f"lockstep.toml: targets.{name}.{key} is missing", hint=f'add {key} = "{example}"')
        for key, example in examples.items()
        if not getattr(settings, key)
    ]
    if settings.variables:
        what = f"lockstep.toml: targets.{name}.variables is for the sandbox alone"
        missing.append(InputError(what, hint="set them on the deployment: npx convex env set NAME value"))
    return missing


def _headers(settings: Settings, values: Mapping[str, str]) -> dict[str, Secret]:
    return {header: Secret(values.get(variable, "")) for header, variable in settings.smoke_headers.items()}


def _endpoints(state: Path) -> dict[str, Any]:
    """Return what the sandbox wrote when it started: addresses, keys and ids of both clouds."""
    try:
        found: dict[str, Any] = json.loads((state / "sandbox" / "endpoints.json").read_text())
    except FileNotFoundError as error:
        raise InputError("the sandbox is not running", hint="start it: ./inv sandbox") from error
    return found


def _sandbox_backend(found: Mapping[str, Any], which: str) -> Backend:
    one = found["convex"]["deployments"][which]
    return Backend(one["deployment"], Secret(one["deploy_key"]), found["convex"]["provision_host"])
