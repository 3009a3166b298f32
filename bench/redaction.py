"""
Measure what redaction costs, on text such as logs hold, fed in the parts that a pipe is read in.

    .venv/bin/python bench/redaction.py [MEGABYTES]
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ci.engine.redaction import Redactor

ROUNDS = 5
PART = 1 << 16
WORDS = ("build", "src/app/index.tsx", "compiled", "in", "120ms", "[info]", "2026-11-22T10:11:12Z", "node_modules/vite")
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"


def log(source: random.Random) -> str:
    lines = (" ".join(source.choice(WORDS) for _ in range(9)) for _ in range(2000))
    return "\n".join(lines)[:PART]


def secret(source: random.Random, length: int) -> str:
    return "".join(source.choice(LETTERS) for _ in range(length))


def key_file(source: random.Random) -> str:
    return "\n".join(["-----BEGIN KEY-----", *(secret(source, 64) for _ in range(25)), "-----END KEY-----\n"])


def measured(secrets: list[str], text: str, megabytes: int) -> float:
    """Return MB a second, of the quietest round."""
    redactor = Redactor()
    redactor.add(*secrets)
    stream = redactor.stream()
    stream.feed(text)
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(megabytes * 1_000_000 // len(text)):
            stream.feed(text)
        times.append(time.process_time() - started)
    return megabytes / min(times)


def main(megabytes: int) -> None:
    source = random.Random(1)
    text = log(source)
    plain = [secret(source, 40) for _ in range(100)]
    quoted = [f"{secret(source, 20)}/{secret(source, 20)} +{number}" for number in range(20)]
    cases: dict[str, list[str]] = {
        "no secret": [],
        "1 secret": plain[:1],
        "5 secrets": plain[:5],
        "20 secrets": plain[:20],
        "20 secrets that are quoted in URLs": quoted,
        "20 secrets, one of them a key file": [*plain[:19], key_file(source)],
        "100 secrets": plain,
    }
    print(f"{'':<36}{'MB/s':>8}")
    for name, secrets in cases.items():
        print(f"{name:<36}{measured(secrets, text, megabytes):>8.0f}")
    print(f"{'20 secrets, one in every line':<36}{measured(plain[:20], hit(text, plain[:20]), megabytes):>8.0f}")


def hit(text: str, secrets: list[str]) -> str:
    lines = text.splitlines()
    return "\n".join(f"{line} {secrets[number % len(secrets)]}" for number, line in enumerate(lines))[:PART]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
