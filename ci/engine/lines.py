"""Text that comes in parts, as lines that can stand among the lines of others."""

import re

LONGEST = 1 << 16  # a longer line is let go in parts: nobody reads it, and it would fill the memory
OVERWRITTEN = re.compile(r"^[^\n]*\r", re.MULTILINE)

CONTROL = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f]")  # all but tab and end of line
SEQUENCE = re.compile(  # an escape sequence, or a control character
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[ -/]*[0-~])?|" + CONTROL.pattern
)
COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
PLAIN = "\x1b[0m"


class Lines:
    """Holds back the line that has not ended yet."""

    def __init__(self) -> None:
        self.rest = ""  # of a line that has not ended

    def feed(self, text: str) -> str:
        """Return what there is now of whole lines."""
        ended = text.rfind("\n") + 1
        block, rest = self.rest + text[:ended], text[ended:]
        if not ended:
            block, rest = "", self.rest + text
        if len(rest) > LONGEST:
            block, rest = block + rest, ""
        self.rest = rest
        return block

    def end(self) -> str:
        """Return the line that nobody will end."""
        rest, self.rest = self.rest, ""
        return rest


def prefixed(block: str, prefix: str) -> str:
    """Return the lines of `block`, each behind `prefix` and with an end; what a line wrote over itself is left out."""
    block = _settled(block)
    end = f"\n{prefix}"
    return prefix + block.removesuffix("\n").replace("\n", end) + "\n"


def harmless(block: str, *, coloured: bool) -> str:
    """Return `block` with nothing in it that would move the cursor, and no colour that would outlive its line."""
    if not CONTROL.search(block):
        return block
    block = SEQUENCE.sub(lambda found: found[0] if coloured and COLOUR.fullmatch(found[0]) else "", _settled(block))
    return block.replace("\n", f"{PLAIN}\n") if "\x1b" in block else block


def uncoloured(text: str) -> str:
    """Return `text` without colours."""
    return COLOUR.sub("", text) if "\x1b" in text else text


def _settled(block: str) -> str:
    """Return `block` without what its lines wrote over themselves, as a progress bar does."""
    return OVERWRITTEN.sub("", re.sub(r"\r+(\n|\Z)", r"\1", block)) if "\r" in block else block
