"""Which variables turbo lets through to a task in strict mode."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from ci.audit.model import Package, Turbo, TurboTask

# What turbo 2.11 lets through without being told, found by running it; npm_* and `_` come from the package manager.
ALWAYS = """_ PATH HOME USER SHELL PWD LANG TZ TERM TMPDIR TMP TEMP CI DISPLAY COLORTERM FORCE_COLOR NO_COLOR
    NODE_OPTIONS PNPM_HOME LD_LIBRARY_PATH LD_PRELOAD DBUS_SESSION_BUS_ADDRESS XAUTHORITY XDG_RUNTIME_DIR XDG_DATA_*
    NIX_* TURBO_* GITHUB_* RUNNER_* VERCEL VERCEL_* NEXT_* DOCKER_* BUILDKIT_* COMPOSE_* COREPACK_* VSCODE_* npm_*"""

# What it lets through to a package that depends on a framework.
FRAMEWORKS = {
    "vite": ("VITE_*",),
    "astro": ("PUBLIC_*",),
    "nuxt": ("NUXT_*", "NITRO_*", "CF_PAGES", "NETLIFY"),
    "@sveltejs/kit": ("VITE_*", "PUBLIC_*"),
    "react-scripts": ("REACT_APP_*",),
    "gatsby": ("GATSBY_*",),
    "expo": ("EXPO_PUBLIC_*",),
    "@vue/cli-service": ("VUE_APP_*",),
    "sanity": ("SANITY_STUDIO_*",),
}


def passes(name: str, turbo: Turbo, task: TurboTask, package: Package) -> bool:
    """Tell whether a task of a package sees a variable of the environment that turbo was started in."""
    inferred = [one for framework, names in FRAMEWORKS.items() if framework in package.declared for one in names]
    env = [text.value for text in (*turbo.global_env, *task.env)]
    handed_on = [text.value for text in (*turbo.global_pass_through, *task.pass_through)]
    return any(_names(patterns, name) for patterns in (ALWAYS.split(), [*inferred, *env], handed_on))


def _names(patterns: Iterable[str], name: str) -> bool:
    """Tell whether one of the patterns is the name's, and none with `!` in front."""
    patterns = tuple(patterns)
    taken = any(fnmatch.fnmatchcase(name, one) for one in patterns if not one.startswith("!"))
    return taken and not any(fnmatch.fnmatchcase(name, one[1:]) for one in patterns if one.startswith("!"))
