"""The Cloudflare Pages half: what to run, what to read back, and when it has succeeded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci import rest, toolchain
from ci.config import App, Frontend
from ci.errors import Unfinished
from ci.secret import Secret

DASHBOARD = "the Cloudflare dashboard (Workers & Pages)"


@dataclass(frozen=True)
class Deployment:
    """One published version of a site. Source: Deployment of the Pages API; read 2026-11-22."""

    id: str
    url: str
    environment: str
    commit: str
    stage: str
    status: str
    created_at: str

    @property
    def succeeded(self) -> bool:
        """Tell whether the last stage has ended well; wrangler's own exit code does not tell."""
        return (self.stage, self.status) == ("deploy", "success")


@dataclass(frozen=True)
class Project:
    """A Pages project: the branch that is production, what it serves, and whether Git deploys it too."""

    name: str
    production_branch: str
    git_deploys: bool
    canonical: Deployment | None


def fresh_output(folder: Path) -> Path:
    """Return the file in `folder` for wrangler's own account of one run; what an earlier run wrote is gone."""
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / "output.ndjson"
    output.unlink(missing_ok=True)
    return output


def env(frontend: Frontend, output: Path) -> dict[str, str | Secret]:
    """Return the variables that send wrangler to `frontend` and keep it quiet; caches and logs go beside `output`."""
    return {
        **toolchain.COMPILED,
        "CI": "1",
        "NO_COLOR": "1",
        "CLOUDFLARE_API_BASE_URL": frontend.api,
        "CLOUDFLARE_API_TOKEN": frontend.api_token,
        "CLOUDFLARE_ACCOUNT_ID": frontend.account_id,
        "WRANGLER_SEND_METRICS": "false",
        "WRANGLER_SEND_ERROR_REPORTS": "false",
        "WRANGLER_HIDE_BANNER": "true",
        "WRANGLER_OUTPUT_FILE_PATH": str(output),
        "WRANGLER_CACHE_DIR": str(output.parent),
        "WRANGLER_LOG_PATH": str(output.parent / "logs"),
    }


def deploy_argv(app: App, frontend: Frontend, *, commit: str, message: str, dirty: bool) -> list[str]:
    """Return the argv that publishes the dist folder; everything that wrangler would otherwise guess is said."""
    said = {
        "--project-name": frontend.project,
        "--branch": frontend.branch,
        "--commit-hash": commit,
        "--commit-message": message,
        "--commit-dirty": str(dirty).lower(),
    }
    argv = [*toolchain.tool_argv(app, app.frontend_folder, "wrangler"), "pages", "deploy", str(app.dist_folder)]
    return [*argv, *(f"{flag}={value}" for flag, value in said.items())]


def project(frontend: Frontend) -> Project:
    """
    Return the Pages project.

    Raises:
        rest.Refused: the token may not read it, or the account or project does not exist.
        Unfinished: no answer.

    Source: GET /accounts/{id}/pages/projects/{name}; `source.config.deployments_enabled` and
        `production_deployments_enabled` tell whether its Git integration deploys; read 2026-11-22.
    """
    found = _asked(frontend, "GET", "")
    source = (found.get("source") or {}).get("config") or {}
    git = (
        bool(source) and source.get("deployments_enabled", True) and source.get("production_deployments_enabled", True)
    )
    canonical = found.get("canonical_deployment")
    return Project(found["name"], found["production_branch"], git, _deployment(canonical) if canonical else None)


def may_publish(frontend: Frontend) -> bool:
    """
    Tell whether the token may publish, by asking for what wrangler asks for before it uploads.

    Source: GET /accounts/{id}/pages/projects/{name}/upload-token; it changes nothing; read 2026-11-22.
    """
    try:
        _asked(frontend, "GET", "/upload-token")
    except rest.Refused:
        return False
    return True


def deployment(frontend: Frontend, deployment_id: str) -> Deployment:
    """Return one deployment as the API knows it now."""
    return _deployment(_asked(frontend, "GET", f"/deployments/{deployment_id}"))


def reported(output: Path) -> str:
    """
    Return the id of the deployment that wrangler says it made.

    Raises:
        Unfinished: wrangler reports a failure, or no deployment, whatever its exit code was.

    Source: WRANGLER_OUTPUT_FILE_PATH, one JSON object a line: {"type": "pages-deploy-detailed", "deployment_id", ...}
        or {"type": "command-failed", "message"}; read 2026-11-22.
    """
    lines = output.read_text().splitlines() if output.exists() else []
    records = [json.loads(line) for line in lines if line.strip()]
    failed = [str(record.get("message", "no reason given")) for record in records if record["type"] == "command-failed"]
    made = [str(record["deployment_id"]) for record in records if record["type"] == "pages-deploy-detailed"]
    if failed or len(made) != 1:
        reason = failed[0].splitlines()[0] if failed else f"{len(made)} deployments reported"
        raise Unfinished(
            f"wrangler published nothing: {reason}", hint="the site is as it was; run the same command again"
        )
    return made[0]


def confirm_published(frontend: Frontend, deployment_id: str, commit: str, *, within_s: float = 120) -> Deployment:
    """
    Return the deployment once it is what the project serves as production.

    Raises:
        Unfinished: it is not; wrangler also exits 0 when the build of the deployment failed or was never seen to end.
    """
    made = rest.settled(
        lambda: deployment(frontend, deployment_id),
        lambda seen: seen.succeeded or seen.status == "failure",
        within_s=within_s,
    )
    serves = project(frontend).canonical
    wrong = [
        (not made.succeeded, f"its stage {made.stage} is {made.status}"),
        (made.environment != "production", f"it is a {made.environment} deployment"),
        (made.commit != commit, f"it is commit {made.commit[:12]}, not {commit[:12]}"),
        (serves is None or serves.id != made.id, "the project serves another deployment"),
    ]
    reasons = [reason for is_wrong, reason in wrong if is_wrong]
    if reasons:
        raise Unfinished(
            f"deployment {made.id} is not live: {', '.join(reasons)}",
            hint="run the same command again; the site is as it was",
        )
    return made


def _deployment(found: Mapping[str, Any]) -> Deployment:
    stage = found.get("latest_stage") or {}
    trigger = (found.get("deployment_trigger") or {}).get("metadata") or {}
    return Deployment(
        id=found["id"],
        url=found["url"],
        environment=found["environment"],
        commit=trigger.get("commit_hash", ""),
        stage=stage.get("name", ""),
        status=stage.get("status", ""),
        created_at=found.get("created_on", ""),
    )


def _asked(frontend: Frontend, method: str, path: str) -> Any:
    """Return the result of one call about the project; Cloudflare's envelope is {"success", "errors", "result"}."""
    url = f"{frontend.api}/accounts/{frontend.account_id}/pages/projects/{frontend.project}{path}"
    bearer = Secret(f"Bearer {frontend.api_token.reveal()}")
    answer = rest.call(method, url, headers={"Authorization": bearer})
    said = answer.json()
    if answer.status < 300 and isinstance(said, dict) and said.get("success"):
        return said["result"]
    errors = said.get("errors", []) if isinstance(said, dict) else []
    code, message = (errors[0].get("code", 0), errors[0].get("message", "")) if errors else (0, "")
    reason = f"{message or 'no reason given'} [{code}]"
    text = f"Cloudflare answered {answer.status} for Pages project {frontend.project}: {reason}"
    if 400 <= answer.status < 500:
        raise rest.Refused(
            text,
            f"compare pages_project, CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN with {DASHBOARD}",
            status=answer.status,
            code=code,
        )
    raise Unfinished(text, hint="the service has a problem: look at its status page, then run the same command again")
