"""The Convex half: what to run, what to read back, and when it has succeeded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ci import rest, toolchain
from ci.config import CONVEX_PROVISION_HOST, App, Backend
from ci.errors import InputError, Unfinished
from ci.secret import Secret

MIGRATIONS_VARIABLE = "LOCKSTEP_MIGRATIONS"
COMPONENTS_VARIABLE = "LOCKSTEP_COMPONENTS"

# The operations of a deploy key that a release needs, and what for. An empty list of allowed operations means all.
# Source: crates/keybroker/src/operations.rs of the open-source backend; read 2026-11-22.
OPERATIONS: Mapping[str, str] = {
    "Deploy": "push functions",
    "ViewData": "read the function spec",
    "RunInternalQueries": "run functions",
    "RunInternalMutations": "run functions",
    "RunInternalActions": "run functions",
    "ViewEnvironmentVariables": "read variables",
    "WriteEnvironmentVariables": "write variables",
}
# Those that tell what is live; the hashes of its modules take "Deploy", and are not among them.
READING = ("ViewData", "ViewEnvironmentVariables")


@dataclass(frozen=True, order=True)
class Function:
    """One function as clients name it ("sites/list:listCompanySites"); an HTTP action is "GET /path"."""

    name: str
    kind: str
    visibility: str


@dataclass(frozen=True)
class Code:
    """
    What a deployment runs, or would run: module path to hash, the functions, and the exported schema.

    `modules` is None when the key may not read them. `spec` tells of the same functions as the deployment does,
    validators included, in any order. `components` is a hash of all code of components, "" without any; of live ones
    that somebody else pushed it is not known.
    """

    modules: Mapping[str, str] | None
    functions: frozenset[Function]
    schema: Any
    spec: list[dict[str, Any]] = field(default_factory=list, compare=False)
    components: str = ""

    def matches(self, other: Code) -> bool:
        """Tell whether both are the same, as far as both are known."""
        known = self.modules is not None and other.modules is not None
        same = (self.functions, self.schema, self.components) == (other.functions, other.schema, other.components)
        return same and (not known or self.modules == other.modules)


@dataclass(frozen=True)
class Opened:
    """What a deploy key opens: the deployment's URL, and the project it belongs to."""

    url: str
    team: str
    project: str


def env(backend: Backend) -> dict[str, str | Secret]:
    """Return the variables that send any Convex CLI to `backend` and keep it quiet; a package's .env files lose."""
    found: dict[str, str | Secret] = {
        "CI": "1",
        "CONVEX_DEPLOY_KEY": backend.deploy_key,
        "CONVEX_DEPLOYMENT": "",
        "CONVEX_SELF_HOSTED_URL": "",
        "CONVEX_SELF_HOSTED_ADMIN_KEY": "",
    }
    if backend.provision_host != CONVEX_PROVISION_HOST:
        found |= {"CONVEX_PROVISION_HOST": backend.provision_host, "CONVEX_VERSION_API_ORIGIN": backend.provision_host}
    return found


def cli_env(backend: Backend) -> dict[str, str | Secret]:
    """Return the variables for the CLI itself: it starts faster than one that a script of the app runs."""
    return {**toolchain.COMPILED, **env(backend)}


def codegen_argv(app: App) -> list[str]:
    """Return the argv that writes `_generated`; types are checked by a step of their own."""
    return [*toolchain.tool_argv(app, app.backend_folder, "convex"), "codegen", "--typecheck", "disable"]


def deploy_argv(app: App) -> list[str]:
    """Return the argv that pushes without asking; types and `_generated` are done. CLIs know its flags since 1.30."""
    quick = ["--typecheck", "disable", "--codegen", "disable"]
    return [*toolchain.tool_argv(app, app.backend_folder, "convex"), "deploy", "--yes", *quick]


def run_argv(app: App, function: str) -> list[str]:
    """Return the argv that runs one function without arguments."""
    return [*toolchain.tool_argv(app, app.backend_folder, "convex"), "run", function, "{}"]


def opened(backend: Backend) -> Opened:
    """
    Ask what the deploy key opens; a key is never trusted by its name.

    Raises:
        rest.Refused: the key is not, or no longer, valid.
        Unfinished: no answer.

    Source: POST /api/deployment/url_for_key and team_and_project_for_key, as the CLI asks; read 2026-11-22.
    """
    body = {"deployKey": backend.deploy_key}
    bearer: dict[str, str | Secret] = {"Authorization": Secret(f"Bearer {backend.deploy_key.reveal()}")}
    ask = f"{backend.provision_host}/api/deployment"
    url = _asked("POST", f"{ask}/url_for_key", bearer, body)
    owner = _asked("POST", f"{ask}/team_and_project_for_key", bearer, body)
    return Opened(str(url), str(owner["team"]), str(owner["project"]))


def deployment_name(url: str) -> str:
    """
    Return the name that the deployment at `url` gives itself, without its type.

    Source: GET /instance_name, text/plain, needs no key; read 2026-11-22.
    """
    return rest.call("GET", f"{url}/instance_name").body.decode(errors="replace").strip().strip('"')


def reach(backend: Backend) -> str:
    """
    Return the URL of the backend's deployment, once its key is known to open that one and no other.

    Raises:
        InputError: the key opens another deployment.
    """
    found = opened(backend)
    name = deployment_name(found.url)
    if name != backend.deployment.partition(":")[2]:
        what = f"CONVEX_DEPLOY_KEY opens {name} of {found.team}/{found.project}, not {backend.deployment}"
        hint = "create a deploy key of that deployment in the Convex dashboard (Settings, Deploy Keys)"
        raise InputError(what, hint=hint)
    return found.url


def missing_operations(backend: Backend, url: str) -> list[str]:
    """
    Return the operations that a release needs and the key lacks.

    Source: GET /api/check_admin_key -> {"success": true, "allowedOps": [str], "isReadOnly": bool}, an empty list
        meaning all; local_backend/src/dashboard.rs, read 2026-11-22.
    """
    said = _asked("GET", f"{url}/api/check_admin_key", _admin(backend), None)
    allowed = said.get("allowedOps") or ([] if said.get("isReadOnly") else list(OPERATIONS))
    return [operation for operation in OPERATIONS if operation not in allowed]


def api_spec(backend: Backend, url: str) -> list[dict[str, Any]]:
    """
    Return the function spec of what the deployment serves now, as it tells it.

    Raises:
        InputError: the key may not read it.

    Source: the system query that `convex function-spec` reads; over HTTP it takes 5 ms, the CLI 1.5 s; read 2026-11-22.
    """
    try:
        # Encoded: in plain JSON the literals 1n and "1" of a validator are the same.
        return list(_system(backend, url, "_system/cli/modules:apiSpec", encoding="convex_encoded_json"))
    except Unfinished as error:
        if "ViewData" not in missing_operations(backend, url):
            raise
        hint = "create a deploy key in the Convex dashboard (Settings, Deploy Keys) that may view data"
        what = f"CONVEX_DEPLOY_KEY may not read the function spec of {backend.deployment} (ViewData)"
        raise InputError(what, hint=hint) from error


def functions(backend: Backend, url: str) -> frozenset[Function]:
    """Return the functions that the deployment serves now."""
    return _functions(api_spec(backend, url))


def scheduled(backend: Backend, url: str) -> frozenset[str]:
    """
    Return the names of the app's functions that wait to be run: a push does not change what was scheduled before it.

    Source: system query paginatedScheduledJobs of npm-packages/system-udfs, {"page": [{"udfPath": "a/b.js:c",
        "component": "" or path}], "isDone": bool, "continueCursor": str}; read 2026-11-22.
    """
    names: set[str] = set()
    page: dict[str, Any] = {"isDone": False, "continueCursor": None}
    while not page["isDone"]:
        args = {"paginationOpts": {"cursor": page["continueCursor"], "numItems": 1000}}
        page = _system(backend, url, "_system/frontend/paginatedScheduledJobs", args)
        names |= {_name(job["udfPath"]) for job in page["page"] if not job.get("component")}
    return frozenset(names)


def live_code(backend: Backend, url: str) -> Code:
    """Return what the deployment runs now: hashes of its modules (if the key may), functions, schema, components."""
    schema = (_system(backend, url, "_system/frontend/getSchemas") or {}).get("active")
    read = {"schema": json.loads(schema) if schema else None, "components": _live_components(backend, url)}
    return _code({"modules": _hashes(backend, url), "functions": api_spec(backend, url), **read})


def code_at_hand(control_url: str, backend: Backend) -> Code:
    """
    Return what the sandbox received when code was last generated: the code of this working tree.

    Raises:
        Unfinished: code generation has not run in this folder, or the sandbox could not take the code in.
    """
    name = backend.deployment.partition(":")[2]
    answer = rest.call("GET", f"{control_url}/__sandbox/convex/code?deployment={name}")
    found = answer.json()
    if answer.status != 200 or not found:
        raise Unfinished("the functions of this working tree are not known yet", hint="run ./inv codegen")
    if "lacks" in found:
        hint = "hold the calls against what is deployed: ./inv contract --against live --target NAME"
        raise Unfinished(f"the functions of this working tree are not known: {found['lacks']}", hint=hint)
    return _code(found)


def lacks(control_url: str, backend: Backend) -> str:
    """Return what the last push to this deployment of the sandbox needs and the sandbox lacks, "" if nothing."""
    name = backend.deployment.partition(":")[2]
    found = rest.call("GET", f"{control_url}/__sandbox/convex/code?deployment={name}").json()
    return str((found or {}).get("lacks", ""))


def unset(control_url: str, backend: Backend) -> list[str]:
    """Return the variables that the modules of the last push read, and this deployment of the sandbox does not have."""
    name = backend.deployment.partition(":")[2]
    found: list[str] = _asked("GET", f"{control_url}/__sandbox/convex/unset?deployment={name}", {}, None)["unset"]
    return found


def furnish(control_url: str, backend: Backend, *, folder: Path, values: Mapping[str, str]) -> None:
    """Give a deployment of the sandbox what the functions in `folder` need: its installed packages, and variables."""
    body = {"deployment": backend.deployment, "folder": str(folder)}
    _asked("POST", f"{control_url}/__sandbox/convex/packages", {}, body)
    url = opened(backend).url
    missing = values.items() - variables(backend, url).items()
    if missing:
        set_variables(backend, url, dict(missing))


def scratch(control_url: str, backend: Backend) -> Backend:
    """Return one more deployment of the sandbox beside `backend`, for code that is not the app's."""
    body = {"deployment": "dev:another-repository-100"}
    made = _asked("POST", f"{control_url}/__sandbox/convex/deployments", {}, body)
    return Backend(made["deployment"], Secret(made["deploy_key"]), backend.provision_host)


def variables(backend: Backend, url: str) -> dict[str, str]:
    """
    Return the deployment's environment variables.

    Source: GET /api/v1/list_environment_variables of the Deployment API; read 2026-11-22.
    """
    found: dict[str, str] = _asked("GET", f"{url}/api/v1/list_environment_variables", _admin(backend), None)[
        "environmentVariables"
    ]
    return found


def set_variables(backend: Backend, url: str, values: Mapping[str, str]) -> None:
    """Set environment variables of the deployment."""
    changes = [{"name": name, "value": value} for name, value in values.items()]
    _asked("POST", f"{url}/api/v1/update_environment_variables", _admin(backend), {"changes": changes})


def query(backend: Backend, url: str, function: str) -> Any:
    """Return what a query (public or internal) answers without arguments."""
    answer = _asked("POST", f"{url}/api/function", _admin(backend), {"path": function, "args": {}, "format": "json"})
    return _value(answer, function)


def confirm_pushed(backend: Backend, url: str, code: Code) -> str:
    """
    Return what the deployment now runs, once that is `code`; whose components these are is recorded there.

    Raises:
        Unfinished: it runs something else, whatever the CLI said.
    """
    live = live_code(backend, url)
    if live.modules != code.modules:
        others = sorted(dict((live.modules or {}).items() ^ (code.modules or {}).items()))
        named = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
        hint = "somebody else may be pushing too; run the same command again"
        raise Unfinished(f"{backend.deployment} does not run the pushed code: it differs in {named}", hint=hint)
    if code.components:
        record = {"code": code.components, "packages": _component_packages(backend, url)}
        set_variables(backend, url, {COMPONENTS_VARIABLE: json.dumps(record)})
    return f"pushed {len(code.functions)} functions to {backend.deployment}"


def _hashes(backend: Backend, url: str) -> list[dict[str, Any]] | None:
    try:
        asked = _asked("POST", f"{url}/api/get_config_hashes", _admin(backend), {"adminKey": backend.deploy_key})
    except rest.Refused:
        if "Deploy" not in missing_operations(backend, url):
            raise
        return None
    return list(asked["moduleHashes"])


def _live_components(backend: Backend, url: str) -> str:
    """Return the hash of the live components if we pushed them: the deployment tells nothing of their code."""
    packages = _component_packages(backend, url)
    if not packages:
        return ""
    record = json.loads(variables(backend, url).get(COMPONENTS_VARIABLE, "{}"))
    return str(record["code"]) if record.get("packages") == packages else "pushed by somebody else"


def _component_packages(backend: Backend, url: str) -> list[str]:
    """
    Return the ids of the packages of code that the components run: each push makes new ones.

    Source: system query modules:listForAllComponents of npm-packages/system-udfs, [[null for the app or an id,
        [[path, {"sourcePackageId": str}]]]]; read 2026-11-22.
    """
    listed = _system(backend, url, "_system/frontend/modules:listForAllComponents")
    return sorted({one["sourcePackageId"] for component, modules in listed if component for _, one in modules})


def _code(found: Mapping[str, Any]) -> Code:
    modules, spec = found["modules"], found["functions"]
    hashes = None if modules is None else {item["path"]: item["hash"] for item in modules}
    return Code(hashes, _functions(spec), found["schema"], spec, found["components"])


def _functions(spec: list[dict[str, Any]]) -> frozenset[Function]:
    """
    Read an apiSpec.

    Args:
        spec: {"identifier": "a/b.js:c", "functionType": "Query", "visibility": {"kind": "public"}} for a function,
            {"functionType": "HttpAction", "method": "GET", "path": "/hook"} for an HTTP action.
    """
    found = set()
    for item in spec:
        if "identifier" in item:
            visibility = item["visibility"]["kind"]
            found.add(Function(_name(item["identifier"]), item["functionType"].lower(), visibility))
        else:
            found.add(Function(f"{item['method']} {item['path']}", "http action", "public"))
    return frozenset(found)


def _name(path: str) -> str:
    """Return a function's name of its path: "a/b:c" of "a/b.js:c"; a default export has no name in some paths."""
    module, _, name = path.partition(":")
    return f"{module.removesuffix('.js')}:{name or 'default'}"


def _admin(backend: Backend) -> dict[str, str | Secret]:
    return {"Authorization": Secret(f"Convex {backend.deploy_key.reveal()}")}


def _system(
    backend: Backend, url: str, path: str, args: Mapping[str, Any] | None = None, *, encoding: str = "json"
) -> Any:
    body = {"path": path, "args": dict(args or {}), "format": encoding}
    answer = _asked("POST", f"{url}/api/query", _admin(backend), body)
    return _value(answer, path)


def _value(answer: Mapping[str, Any], function: str) -> Any:
    if answer.get("status") == "success":
        return answer["value"]
    said = str(answer.get("errorMessage", "no reason given")).strip().splitlines()[-1]
    raise Unfinished(f"{function} failed: {said}", hint="read the deployment's logs: npx convex logs")


def _asked(method: str, url: str, headers: Mapping[str, str | Secret], body: Any) -> Any:
    """Return the JSON of a successful answer; anything else is `Refused` (4xx) or `Unfinished`."""
    answer = rest.call(method, url, headers=headers, json_body=body)
    said = answer.json()
    if answer.status < 300:
        return said
    code, message = (said.get("code", ""), said.get("message", "")) if isinstance(said, dict) else ("", "")
    text = f"{method} {url} answered {answer.status} {code}: {message}".rstrip(": ")
    if 400 <= answer.status < 500:
        raise rest.Refused(
            text,
            "create a new deploy key in the Convex dashboard (Settings, Deploy Keys)",
            status=answer.status,
            code=code,
        )
    raise Unfinished(text, hint="the service has a problem: look at its status page, then run the same command again")
