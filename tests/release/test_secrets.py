"""One table says of each secret what it is for, its shape, and who sees it; what is written from it is never stale."""

from __future__ import annotations

import pytest

from ci.release import secrets

GOOD = {
    "CONVEX_DEPLOY_KEY": "prod:graceful-shrimp-355|eyJ2MiI6",
    "CLOUDFLARE_API_TOKEN": "v1.0-abcdef",
    "CLOUDFLARE_ACCOUNT_ID": "0123456789abcdef0123456789abcdef",
}


def test_good_secrets_have_no_problem() -> None:
    assert secrets.misformed(GOOD, "production") == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CONVEX_DEPLOY_KEY", None, "is not set"),
        ("CONVEX_DEPLOY_KEY", "", "is set but empty"),
        ("CONVEX_DEPLOY_KEY", '"prod:a-b-1|x"', "contains its quotes"),
        ("CONVEX_DEPLOY_KEY", "prod:a-b-1|x\n", "begins or ends with white space or an end of line"),
        ("CONVEX_DEPLOY_KEY", "happy-otter-123", "does not look like one"),
        ("CLOUDFLARE_ACCOUNT_ID", "my-account", "does not look like one"),
        ("CLOUDFLARE_API_TOKEN", "tok\u00e9n", "does not look like one"),
    ],
)
def test_each_misformed_secret_is_named_without_its_value(name: str, value: str | None, said: str) -> None:
    values = {key: text for key, text in (GOOD | {name: value}).items() if text is not None}
    [problem] = secrets.misformed(values, "production")
    assert problem.message.startswith(f"{name} {said}")
    assert not value or value.strip() not in f"{problem.message} {problem.hint}"
