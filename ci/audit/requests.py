"""What `curl` and its like do: call a deploy hook, ask a live site, or something that does not matter."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ci.audit import arguments
from ci.audit.meaning import Meaning

_HOOK = re.compile(
    r"vercel\.com/v1/integrations/deploy/|netlify\.com/build_hooks/|pages/webhooks/deploy_hooks/|onrender\.com/deploy/"
    r"|render\.com/deploy/|/deploy[_-]hooks?/|/api/v1/deploy\?"
)
_HOOK_NAME = re.compile(r"(DEPLOY|BUILD|RENDER|VERCEL|NETLIFY|COOLIFY|PAGES)_?(PROD_|PRODUCTION_)?(HOOK|WEBHOOK)", re.I)
_NOT_OURS = re.compile(
    r"//(?:[\w.-]+@)?(?:api\.|hooks\.|registry\.|raw\.|objects\.|codeload\.|get\.|install\.|download[s]?\.|deb\.|packages\.|proxy\.)"
    r"|//(?:www\.)?(?:github\.com|gitlab\.com|bun\.sh|discord(?:app)?\.com|sh\.rustup\.rs|cli\.|deno\.land|dl\.|"
    r"storage\.googleapis\.com|nodejs\.org|uploads\.github\.com|sentry\.io|codecov\.io|slack\.com|hc-ping\.com)"
)
_LOCAL = re.compile(r"localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|host\.docker")
_FOREIGN_NAME = re.compile(r"(SLACK|DISCORD|TEAMS|GITHUB_API|TELEGRAM|WEBHOOK|SENTRY|HEARTBEAT|PING)", re.I)
_REQUEST_VALUED = arguments.some(
    "-X -x --request --proxy -H --header -d --data --data-raw --data-binary -o --output -w --write-out -u --user "
    "-m --max-time --retry --retry-delay --connect-timeout -A -F --form -e -b -c --cookie --retry-max-time -T "
    "--timeout --tries -O --json --data-urlencode --user-agent --resolve --cacert -D --dump-header"
)


def is_local(word: str) -> bool:
    """Tell whether a word is an address of the machine itself."""
    return _LOCAL.search(word) is not None


def is_live(word: str) -> bool:
    """Tell whether a word may be the address of a live site: a URL, or a variable that holds one."""
    is_address = word.startswith(("http://", "https://")) or re.match(
        r"^\$\{?\{?.*(URL|HOST|SITE|DOMAIN|ORIGIN|url)", word
    )
    return bool(is_address) and not (_LOCAL.search(word) or _NOT_OURS.search(word) or _FOREIGN_NAME.search(word))


def read(argv: tuple[str, ...], feeds: Sequence[str]) -> Meaning | None:
    """Return what a request does: ask a live site, have a host build, bring a tool; None when it is something else."""
    program = arguments.program(argv)
    asked = arguments.words(argv, _REQUEST_VALUED - {"-O"} if program == "curl" else _REQUEST_VALUED)
    whole = " ".join(argv)
    if _HOOK.search(whole) or any(_HOOK_NAME.search(word) for word in asked):
        return Meaning("publish", "deploy hook")
    if feeds and feeds[0] in ("bash", "sh", "sudo", "tar", "zsh", "gpg", "unzip", "xz"):
        return Meaning("setup", program) if feeds[0] in ("bash", "sh", "zsh") else None
    sends = {"-d", "--data", "--data-raw", "--data-binary", "-F", "--form", "--json", "-T", "--upload-file", "-O"}
    method = (arguments.value(argv, "-X", "--request") or "GET").upper()
    given = arguments.options(argv)
    flags = {letter for word in argv[1:] if re.fullmatch(r"-[a-zA-Z]+", word) for letter in word[1:]}
    output = arguments.value(argv, "-o", "--output") or next(
        (argv[n + 1] for n, w in enumerate(argv[:-1]) if w.endswith("o") and re.fullmatch(r"-[a-zA-Z]+o", w)), None
    )
    asks_only = output in (None, "/dev/null") or bool({"-w", "--write-out"} & given)
    downloads = not (asks_only or (output or "").startswith("/tmp/")) or "O" in flags
    if downloads or method not in ("GET", "HEAD") or given & sends:
        return None
    return Meaning("verify", program) if any(is_live(word) for word in asked) else None
