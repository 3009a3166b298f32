"""What a process tells the runner of GitHub Actions: annotations, groups, masks."""

from __future__ import annotations


def command(name: str, message: str, **properties: object) -> str:
    """
    Return one workflow command, without its line end; a property that is "" is left out.

    Source: escapeData and escapeProperty of @actions/core, src/command.ts; read 2026-11-22.
    """
    said = ",".join(f"{key}={_escaped(str(value), ':', ',')}" for key, value in properties.items() if value != "")
    return f"::{name} {said}".rstrip() + f"::{_escaped(message)}"


def _escaped(text: str, *more: str) -> str:
    for letter in ("%", "\r", "\n", *more):
        text = text.replace(letter, f"%{ord(letter):02X}")
    return text
