"""The function specs that calls are held against: of the code at hand, of a deployment, or of a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ci import contract, convex
from ci.config import App, Backend, Config, Target
from ci.contract.spec import Spec
from ci.release import calls
from ci.release.calls import Repository


@dataclass(frozen=True)
class Hands:
    """What has to be done before a spec can be read: `generate` pushes an app's code, `target` finds a target."""

    start_sandbox: Callable[[], None]
    generate: Callable[[App, Backend], None]
    target: Callable[[], Target]


def read(config: Config, place: Repository, against: str, hands: Hands) -> dict[str, Spec]:
    """Return what the backends of a repository have, as far as it is known, by their folder."""
    calls.refuse_none(place)
    if against != "code":
        return {calls.only(config.app, place): _outside(against, hands)}
    control, own = config.sandbox_control, config.code_generation
    if place.is_app:
        return {calls.only(config.app, place): contract.spec.parse(convex.code_at_hand(control(), own()).spec)}
    hands.start_sandbox()
    scratch = convex.scratch(control(), own())
    specs = {}
    for name, folder in place.named():
        hands.generate(calls.app_of(config.app, place, folder), scratch)
        specs[name] = contract.spec.parse(convex.code_at_hand(control(), scratch).spec)
    return specs


def _outside(against: str, hands: Hands) -> Spec:
    if against != "live":
        return calls.read_spec(Path(against))
    backend = hands.target().backend
    return contract.spec.parse(convex.api_spec(backend, convex.reach(backend)))
