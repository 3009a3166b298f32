"""The command of the sandbox: python -m ci.sandbox start|stop|status|reset|serve."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ci import errors
from ci.errors import InputError, LockstepError
from ci.sandbox import lifecycle, lock
from ci.sandbox.lifecycle import Status

NOT_RUNNING = 3


def main() -> int:
    options = _parser().parse_args()
    options.root = options.root.absolute()
    try:
        return _run(options)
    except LockstepError as error:
        print(errors.text(error), file=sys.stderr)
        return error.exit_code


def _run(options: argparse.Namespace) -> int:
    try:
        return COMMANDS[options.command](options)
    except OSError as error:
        if not error.filename:
            raise
        hint = "it must be a folder that you may write to; --root chooses another"
        raise InputError(f"{options.root} cannot be used: {error.strerror}", hint=hint) from error


def start(options: argparse.Namespace) -> int:
    _show(lifecycle.start(options.root, options.idle_hours), options.format)
    return 0


def stop(options: argparse.Namespace) -> int:
    print("stopped" if lifecycle.stop(options.root) else f"no sandbox runs in {options.root}", file=sys.stderr)
    return 0


def reset(options: argparse.Namespace) -> int:
    ran = lifecycle.reset(options.root, options.idle_hours)
    again = ", started again" if ran else ""
    print(f"forgot what {options.root} held, kept its ports and keys{again}", file=sys.stderr)
    return 0


def status(options: argparse.Namespace) -> int:
    found = lifecycle.status(options.root)
    _show(found, options.format)
    return 0 if found.health else NOT_RUNNING


def serve(options: argparse.Namespace) -> int:
    """Serve in the foreground. The first line on stdout is JSON: ready, held by another process, or an error."""
    # Imported here: the other commands answer without loading a web server.
    import asyncio
    import logging

    from ci.sandbox import server

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    options.root.mkdir(parents=True, exist_ok=True)
    try:
        with lock.held(options.root):
            asyncio.run(server.run(options.root, options.idle_hours * 3600, lambda: _say({"ready": True})))
    except lock.HeldError:
        _say({"held": True})
        return NOT_RUNNING
    except LockstepError as error:
        _say({"error": error.message, "hint": error.hint})
        raise
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "start": start,
    "stop": stop,
    "status": status,
    "reset": reset,
    "serve": serve,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ci.sandbox", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--root", type=Path, default=Path(".lockstep/sandbox"), help="where its state is (%(default)s)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="of start and status")
    parser.add_argument("--idle-hours", type=float, default=8.0, help="end when not used for so long (%(default)s)")
    return parser


def _show(found: Status, form: str) -> None:
    print(json.dumps(_document(found), indent=1) if form == "json" else _text(_document(found)))


def _document(found: Status) -> dict[str, Any]:
    """Return what may be shown: addresses, never keys."""
    if found.pid is None:
        return {"state": "stopped"}
    if found.health is None or found.endpoints is None:
        return {"state": "not answering", "pid": found.pid}
    site = found.endpoints.get("pages", {}).get("site")
    return {"state": "running", "site": site, "control_url": found.endpoints["control_url"], **found.health}


def _text(document: dict[str, Any]) -> str:
    if document["state"] != "running":
        return "sandbox: " + " ".join(str(value) for value in document.values())
    lines = [
        f"sandbox: running since {document['started_at']}, process {document['pid']}; {document['stand_in']}",
        f"  site      {document['site']}",
        f"  control   {document['control_url']}/__sandbox/",
        f"  settings  {document['root']}/{lifecycle.ENDPOINTS}",
    ]
    return "\n".join(lines + [f"  {half} lacks: {'; '.join(lacks)}" for half, lacks in document["lacks"].items()])


def _say(words: dict[str, object]) -> None:
    print(json.dumps(words), flush=True)


if __name__ == "__main__":
    sys.exit(main())
