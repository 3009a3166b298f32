"""The environment that a step's commands get before the step adds its own: short, named, the same on every machine."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

PASSED = ("CI", "GITHUB_ACTIONS", "LANG", "NO_COLOR", "TERM", "TMPDIR", "TZ")
CERTIFICATES = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_DIR", "SSL_CERT_FILE")
PROXIES = ("all_proxy", "http_proxy", "https_proxy", "no_proxy")
LOOPBACK = ("127.0.0.1", "localhost")
REGISTRIES = ("bun_config_", "npm_config_", "pip_", "uv_")


def home(root: Path) -> Path:
    """Return the one HOME of this checkout, where no login of the user hides a missing key."""
    return root / ".lockstep/home"


def base(outer: Mapping[str, str], root: Path, path: Sequence[str]) -> dict[str, str]:
    """Return the base environment; `path` names the folders below `root` that go first on PATH."""
    tools = [str(root / folder) for folder in path]
    return {
        **{name: value for name, value in outer.items() if _is_passed(name)},
        "PATH": os.pathsep.join([*tools, outer.get("PATH", os.defpath)]),
        "HOME": str(home(root)),
        **_without_proxy(outer),
        **_caches(outer, root),
        **_git(root),
    }


def registries(outer: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of package registries, which only a step that installs may see."""
    found = {name: value for name, value in outer.items() if name.lower().startswith(REGISTRIES)}
    if "HOME" in outer and "npm_config_userconfig" not in map(str.lower, found):
        # bun reads it too; both would look in HOME, which is not the user's here.
        found["npm_config_userconfig"] = str(Path(outer["HOME"], ".npmrc"))
    return found


def names_seen(root: Path) -> dict[str, list[str]]:
    """Return the names of the variables that the commands of every step see here, and those that installing adds."""
    return {"every step": sorted(base(os.environ, root, ())), "install": sorted(registries(os.environ))}


def _is_passed(name: str) -> bool:
    return name in PASSED or name in CERTIFICATES or name.startswith("LC_") or name.lower() in PROXIES


def _without_proxy(outer: Mapping[str, str]) -> dict[str, str]:
    """Keep loopback, where the sandbox listens, off the proxies, for tools that read either spelling."""
    if not any(name.lower() in PROXIES for name in outer):
        return {}
    said = ",".join(outer[name] for name in ("NO_PROXY", "no_proxy") if name in outer)
    hosts = ",".join(dict.fromkeys(filter(None, [*map(str.strip, said.split(",")), *LOOPBACK])))
    return {"NO_PROXY": hosts, "no_proxy": hosts}


def _caches(outer: Mapping[str, str], root: Path) -> dict[str, str]:
    """Point tools at the user's own caches, so that a HOME of our own costs no download."""
    caches = {"NODE_COMPILE_CACHE": str(root / ".lockstep/cache/node")}
    user = outer.get("HOME", "")
    bun = outer.get("BUN_INSTALL") or (user and f"{user}/.bun")
    npm = outer.get("npm_config_cache") or outer.get("NPM_CONFIG_CACHE") or (user and f"{user}/.npm")
    bun_cache = outer.get("BUN_INSTALL_CACHE_DIR") or (bun and f"{bun}/install/cache")
    return caches | {
        name: value for name, value in (("BUN_INSTALL_CACHE_DIR", bun_cache), ("npm_config_cache", npm)) if value
    }


def _git(root: Path) -> dict[str, str]:
    """Let git read the checkout also where another user owns it, as in a container."""
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": str(root)}
