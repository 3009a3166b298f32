"""A target called production: a deployment, a token and a Pages project of the sandbox that only its settings name."""

from __future__ import annotations

from dataclasses import dataclass

from tests.release import clouds
from tests.release.checkout import Checkout, Ended
from tests.release.clouds import Backend, Site

DEPLOYMENT = "prod:graceful-shrimp-355"
SETTINGS = """
[targets.production]
convex_deployment = "{deployment}"
pages_project = "{project}"
pages_branch = "main"
site = "{site}"
"""


@dataclass(frozen=True)
class Production:
    """The target, and the variables that open it: `hosts` say where the clouds are, `keys` are its secrets."""

    checkout: Checkout
    backend: Backend
    site: Site
    hosts: dict[str, str]
    keys: dict[str, str]

    def inv(self, *arguments: str, **env: str) -> Ended:
        """Run inv for this target with its keys; keywords change the environment."""
        return self.checkout.inv(*arguments, "--target", "production", **{**self.hosts, **self.keys, **env})

    def key(self, deployment: str = DEPLOYMENT, *operations: str) -> str:
        """Return one more deploy key, which allows these operations alone."""
        body = {"deployment": deployment, "operations": list(operations)}
        return str(self.checkout.sandbox.control("POST", "convex/keys", body)["deploy_key"])

    def token(self, **fields: object) -> str:
        """Return one more API token: the fields are `accounts` and `permission`."""
        return str(self.checkout.sandbox.control("POST", "pages/tokens", fields)["token"])


def added(checkout: Checkout) -> Production:
    """Start the sandbox, and add the target to lockstep.toml in a commit of its own."""
    sandbox = checkout.sandbox.start()
    backend, site = clouds.new_backend(sandbox, DEPLOYMENT), clouds.site(sandbox)
    settings = SETTINGS.format(deployment=DEPLOYMENT, project=sandbox.pages["project"], site=site.url)
    checkout.replace(
        "lockstep.toml", '[[migrations]]\nfunction = "seed:demo"', settings + '\n[[migrations]]\nfunction = "seed:demo"'
    )
    checkout.git("remote", "add", "origin", "git@github.com:example/shop.git")
    written = checkout.inv("workflow")
    assert (written.status, written.stderr) == (0, ""), written
    checkout.commit("Add production")
    hosts = {
        "CONVEX_PROVISION_HOST": sandbox.endpoints["convex"]["provision_host"],
        "CLOUDFLARE_API_BASE_URL": sandbox.pages["api_base_url"],
    }
    token = sandbox.control("POST", "pages/tokens", {})["token"]
    account = sandbox.pages["account_id"]
    keys = {"CONVEX_DEPLOY_KEY": backend.key, "CLOUDFLARE_API_TOKEN": token, "CLOUDFLARE_ACCOUNT_ID": account}
    return Production(checkout, backend, site, hosts, keys)
