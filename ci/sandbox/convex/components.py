"""The tree of components of a push: where each definition is mounted, and with which environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ci.sandbox.convex.code import Code, Definition
from ci.sandbox.convex.refusal import Refusal

Json = dict[str, Any]


@dataclass(frozen=True)
class Mount:
    """
    One component: its path ("" is the app, "outer/inner" a child of a child) and what is mounted there.

    `env` binds a variable to a value, or to a variable of the app: {"type": "value" | "envVar", "value" | "name"}.
    `http_prefix` is where its HTTP routes are on the site ("/inner/"), None if nowhere.
    """

    path: str
    definition_path: str
    definition: Definition
    env: dict[str, Json] = field(default_factory=dict)
    http_prefix: str | None = None

    def environment(self, app: dict[str, str], built_in: dict[str, str]) -> dict[str, str]:
        """Return what its functions see of the environment: of the app's variables only what is handed to them."""
        if not self.path:
            return app | built_in
        if self.http_prefix:
            built_in = built_in | {"CONVEX_SITE_URL": built_in["CONVEX_SITE_URL"] + self.http_prefix.rstrip("/")}
        given = {name: bound.get("value", app.get(bound.get("name", ""))) for name, bound in self.env.items()}
        return built_in | {name: value for name, value in given.items() if value is not None}


def mounts(code: Code) -> dict[str, Mount]:
    """Return all that is mounted, by path, parents first. Raises Refusal: the tree is not sound."""
    root = Mount("", "", code, http_prefix=code.definition.get("httpPrefix", "/"))
    return {mount.path: mount for mount in _walk(code, root)}


def _walk(code: Code, mount: Mount) -> Iterator[Mount]:
    yield mount
    names: set[str] = set()
    for child in mount.definition.definition.get("childComponents", []):
        if child["name"] in names:
            several = f"has multiple child components with the same name: {child['name']!r}"
            raise _unsound(f"{mount.definition_path!r} {several}")
        names.add(child["name"])
        yield from _walk(code, _child(code, mount, child))


def _child(code: Code, parent: Mount, child: Json) -> Mount:
    path = f"{parent.path}/{child['name']}" if parent.path else child["name"]
    definition = code.components[child["path"]]
    bound = dict(child.get("env") or [])
    declared = dict(definition.definition.get("envVars") or [])
    for name in bound.keys() - declared.keys():
        raise _unsound(f"{path!r} has no env var named {name!r}")
    for name, validator in declared.items():
        if name not in bound and not validator.get("optional"):
            raise _unsound(f"{path!r} is missing required env var {name!r}")
    return Mount(path, child["path"], definition, _resolved(parent, bound), _http_prefix(parent, child["name"]))


def _resolved(parent: Mount, bound: dict[str, Json]) -> dict[str, Json]:
    """Return the bindings of a child: what refers to a variable of a component is what that one is bound to."""
    if not parent.path:
        return bound
    found = {name: parent.env.get(one["name"]) if one["type"] == "envVar" else one for name, one in bound.items()}
    return {name: one for name, one in found.items() if one}


def _http_prefix(parent: Mount, child: str) -> str | None:
    """Return where a child is mounted on the site; the prefix of the app is that of its own routes alone."""
    mounted = parent.definition.definition.get("httpMounts") or {}
    own: str | None = next(
        (prefix for prefix, reference in mounted.items() if reference.rpartition("/")[2] == child), None
    )
    if own is None or not parent.path or parent.http_prefix is None:
        return own
    return parent.http_prefix.rstrip("/") + own


def _unsound(what: str) -> Refusal:
    # The code and wording of crates/model/src/components/type_checking.rs of convex-backend; read 2026-11-22.
    return Refusal(400, "TypecheckError", f"Component {what}")


def checked(code: Code) -> Json:
    """Return the tree as the CLI's checkedComponent."""
    nodes = {path: _node(mount) for path, mount in mounts(code).items()}
    for path in filter(None, nodes):
        parent, _, name = path.rpartition("/")
        nodes[parent]["childComponents"][name] = nodes[path]
    return nodes[""]


def _node(mount: Mount) -> Json:
    mounted = sorted(mount.definition.definition.get("httpMounts") or {})
    return {
        "definitionPath": mount.definition_path,
        "componentPath": mount.path,
        "args": {},
        "childComponents": {},
        "httpRoutes": {"httpModuleRoutes": mount.definition.routes(), "mounts": mounted},
        "exports": _exports(mount),
    }


def _exports(mount: Mount) -> Json:
    """Return the tree of public functions: folders and modules are branches."""
    root: Json = {}
    for path, module in mount.definition.functions.items():
        for function in module["functions"]:
            if function["visibility"]["kind"] == "public":
                children = root
                for part in path.removesuffix(".js").split("/"):
                    children = children.setdefault(part, {"type": "branch", "children": {}})["children"]
                target = {"component": mount.path, "udfPath": f"{path}:{function['name']}"}
                children[function["name"]] = {"type": "leaf", "resource": {"type": "function", "path": target}}
    return root
