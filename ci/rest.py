"""JSON over HTTP: one call, one deadline, no secret in a URL."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ci.errors import LockstepError, Unfinished
from ci.secret import Secret

if TYPE_CHECKING:
    from urllib.request import OpenerDirector

LOOPBACK = ("127.0.0.1", "localhost", "::1")
TIMEOUT_S = 20.0

T = TypeVar("T")


class Refused(LockstepError):
    """A service understood and said no; `status` is HTTP's, `code` the service's own."""

    exit_code = 2

    def __init__(self, message: str, hint: str, *, status: int, code: str | int) -> None:
        super().__init__(message, hint)
        self.status, self.code = status, code


@dataclass(frozen=True)
class Answer:
    """What a server said; `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON, or None when it is something else."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def call(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str | Secret] | None = None,
    json_body: Any = None,
    timeout_s: float = TIMEOUT_S,
) -> Answer:
    """
    Return the answer to one request, whatever its status.

    Raises:
        Unfinished: no whole answer within `timeout_s`; the message names the host only.
    """
    # Imported when first used: what the commands that ask nobody need not wait for.
    import http.client
    import urllib.error
    import urllib.request

    data = None if json_body is None else json.dumps(json_body, default=_revealed).encode()
    request = urllib.request.Request(url, data=data, method=method)
    for name, value in ({"User-Agent": "lockstep", "Content-Type": "application/json"} | dict(headers or {})).items():
        request.add_header(name, value.reveal() if isinstance(value, Secret) else value)
    try:
        with _opener(url).open(request, timeout=timeout_s) as response:
            return _answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.headers, error.read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise silent(url, error) from error


def settled(ask: Callable[[], T], is_good: Callable[[T], bool], *, within_s: float) -> T:
    """
    Return the first good answer of `ask`, or its last one after `within_s`: services take a moment to agree.

    Raises:
        Unfinished: the last try got no answer at all.
    """
    import tenacity

    patient = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda answer: not is_good(answer))
        | tenacity.retry_if_exception_type(Unfinished),
        wait=tenacity.wait_exponential(multiplier=0.1, max=5),
        stop=tenacity.stop_after_delay(within_s),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    return patient(ask)


def silent(url: str, error: BaseException) -> Unfinished:
    """Return the error for a server that did not answer."""
    reason = getattr(error, "reason", None) or str(error) or type(error).__name__
    host = urlsplit(url).netloc
    if urlsplit(url).hostname in LOOPBACK:
        return Unfinished(f"{host} did not answer: {reason}", hint="start the sandbox: ./inv sandbox, then try again")
    return Unfinished(
        f"{host} did not answer: {reason}", hint="check the network and the proxy settings, then try again"
    )


def _opener(url: str) -> OpenerDirector:
    """Return what opens `url`: never a proxy for loopback, and no redirect, since who answers matters."""
    import urllib.request

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_args: object) -> None:
            return None

    proxies: dict[str, str] | None = {} if urlsplit(url).hostname in LOOPBACK else None
    return urllib.request.build_opener(urllib.request.ProxyHandler(proxies), Stay())


def _answer(status: int, headers: Any, body: bytes) -> Answer:
    return Answer(status, {name.lower(): value for name, value in headers.items()}, body)


def _revealed(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} is not JSON")
