"""Sites: which file a path means, the site's own rules, headers, names and ports, protected sites."""

from __future__ import annotations

import pytest

from ci.sandbox.pages import lookup, rules
from ci.sandbox.pages.lookup import File, Moved
from ci.sandbox.pages.rules import Headers, Redirect
from tests import sandbox_fixture
from tests.sandbox_fixture import Answer, Project, Sandbox

FILES = {
    "/index.html",
    "/about.html",
    "/docs/index.html",
    "/docs/404.html",
    "/404.html",
    "/app.js",
    "/both",
    "/both.html",
}


def get(url: str, **headers: str) -> Answer:
    return sandbox_fixture.http("GET", url, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/", File("/index.html")),
        ("/index.html", Moved("/")),
        ("/index", Moved("/")),
        ("/about", File("/about.html")),
        ("/about.html", Moved("/about")),
        ("/about/", Moved("/about")),
        ("/docs/", File("/docs/index.html")),
        ("/docs", Moved("/docs/")),
        ("/docs/index", Moved("/docs/")),
        ("/docs/index/", Moved("/docs/")),
        ("/app.js", File("/app.js")),
        ("/both.html", File("/both.html")),
        ("/docs/missing/deep", File("/docs/404.html", 404)),
        ("/missing.js", File("/404.html", 404)),
    ],
)
def test_which_file_a_path_means(path: str, found: File | Moved) -> None:
    assert lookup.find(FILES, path) == found


@pytest.mark.parametrize("path", ["/anything", "/assets/gone.js", "/deep/er/"])
def test_without_a_404_page_every_miss_is_the_page_of_the_app(path: str) -> None:
    assert lookup.find({"/index.html"}, path) == File("/index.html")


def test_an_empty_site_finds_nothing() -> None:
    assert lookup.find(set(), "/") is None


REDIRECTS = """
# comment
/blog/* /news/:splat 301
/user/:id/edit /edit?user=:id
/blog/exact /exact 308   # exact rules win over patterns
/page /shown 200
/out https://example.com/x#part 302
/* /index.html 200
/bad /status 299
/one-word
/a /b /c /d
"""


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/blog/2026/x", Redirect("/blog/2026/x", "/news/2026/x", 301)),
        ("/blog/exact", Redirect("/blog/exact", "/exact", 308)),
        ("/user/7/edit", Redirect("/user/7/edit", "/edit?user=7", 302)),
        ("/page", Redirect("/page", "/shown", 200)),
        ("/out", Redirect("/out", "https://example.com/x#part", 302)),
        ("/bad", None),
        ("/a", None),
        ("/", None),
    ],
)
def test_redirects(path: str, found: Redirect | None) -> None:
    assert rules.redirect(REDIRECTS, path) == found


HEADERS = """
/*
  X-All: 1
  ! X-Frame
/a/:name
  X-Name: :name
  Link: </x>; rel=preload
https://other.example/*
  X-Other: 1
/*/*
  X-Never: 1
"""


def test_headers_of_every_block_that_matches() -> None:
    assert rules.headers(HEADERS, "/a/b") == [
        Headers("/*", [("X-All", "1")], ["X-Frame"]),
        Headers("/a/:name", [("X-Name", "b"), ("Link", "</x>; rel=preload")], []),
    ]


def test_nothing_is_there_before_the_first_deployment(sandbox: Sandbox, project: Project) -> None:
    named = project.api("GET")["name"]
    empty = get(sandbox.endpoints["control_url"] + "/", Host=f"{named}.pages.localhost")
    assert (empty.status, f"nothing is deployed to production of {named} yet" in empty.text) == (404, True)


def test_a_file_is_served_with_what_pages_adds(project: Project) -> None:
    url = project.deploy({"/index.html": "<h1>hi</h1>", "/app.js": "hi()"})["url"]
    page, script = get(url + "/"), get(url + "/app.js")
    assert (page.status, page.text, script.text) == (200, "<h1>hi</h1>", "hi()")
    told = {
        name: page.headers[name]
        for name in page.headers
        if name not in ("Date", "ETag", "Content-Length", "Connection")
    }
    assert told == {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "public, max-age=0, must-revalidate",
        "Access-Control-Allow-Origin": "*",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
        "Server": "lockstep-sandbox",
    }
    assert script.headers["Content-Type"] == "application/javascript; charset=utf-8"
    again = get(url + "/", If_None_Match=page.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    head = sandbox_fixture.http("HEAD", url + "/")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", "11")
    assert sandbox_fixture.http("POST", url + "/", body={}).status == 405


def test_clean_addresses_and_redirects_keep_the_query(project: Project) -> None:
    files = {"/index.html": "home", "/ünder/a b.html": "odd"}
    url = project.deploy(files, _redirects="/old /new?x=1\n/plain/* /to/:splat 301\n/shown / 200")["url"]
    asked = ["/index.html?q=1", "/%C3%BCnder/a%20b.html", "/old?q=1", "/plain/x?q=1", "/shown", "//evil.example/index"]
    answers = [get(url + path) for path in asked]
    assert [(answer.status, answer.headers["Location"]) for answer in answers] == [
        (308, "/?q=1"),
        (308, "/%C3%BCnder/a%20b"),
        (302, "/new?x=1"),
        (301, "/to/x?q=1"),
        (200, None),
        (308, "/evil.example/"),
    ]
    assert get(url + "/%C3%BCnder/a%20b").text == "odd"


def test_a_sites_own_headers_replace_the_usual_ones(project: Project) -> None:
    own = "/*\n  Cache-Control: no-store\n  X-Own: a\n  ! Referrer-Policy\n/index.html\n  X-Never: 1\n/\n  X-Own: b"
    page = get(project.deploy({"/index.html": "home"}, _headers=own)["url"] + "/")
    names = ("Cache-Control", "X-Own", "Referrer-Policy", "X-Never")
    assert [page.headers[name] for name in names] == ["no-store", "a, b", None, None]


def test_a_miss_is_the_sites_own_404_page_and_is_not_kept(project: Project) -> None:
    url = project.deploy({"/index.html": "home", "/404.html": "lost"})["url"]
    lost = get(url + "/gone.js")
    assert (lost.status, lost.text, lost.headers["Cache-Control"]) == (404, "lost", "no-store")
    assert lost.headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_single_page_app_answers_a_missing_script_with_its_page(project: Project) -> None:
    missing = get(project.deploy({"/index.html": "the app"})["url"] + "/assets/gone.js")
    assert (missing.status, missing.text) == (200, "the app")
    assert missing.headers["Content-Type"] == "text/html; charset=utf-8"


def test_sites_by_their_names(sandbox: Sandbox, project: Project) -> None:
    first, second = project.deploy({"/index.html": "one"}), project.deploy({"/index.html": "two"})
    preview = project.deploy({"/index.html": "three"}, branch="feature/x")
    names = ["", f"{first['short_id']}.", f"{second['short_id']}.", "feature-x.", "nope."]
    url = sandbox.endpoints["control_url"] + "/"
    answers = [get(url, Host=f"{name}{project.name}.pages.localhost:1") for name in names]
    assert [answer.text for answer in answers[:4]] == ["two", "one", "two", "three"]
    assert answers[4].status == 404
    assert [answer.headers["X-Robots-Tag"] for answer in answers[:2]] == [None, "noindex"]
    assert get(preview["url"] + "/").text == "three"
    assert get(url, Host="nobody.pages.localhost").status == 404


def test_production_follows_a_rollback_and_deployments_stay_what_they_were(sandbox: Sandbox) -> None:
    project = Project(sandbox, "sandbox")
    first, second = project.deploy({"/index.html": "one"}), project.deploy({"/index.html": "two"})
    site = sandbox.pages["site"] + "/"
    assert get(site).text == "two"
    project.api("POST", f"/deployments/{first['id']}/rollback")
    assert [get(url + "/").text for url in (sandbox.pages["site"], first["url"], second["url"])] == [
        "one",
        "one",
        "two",
    ]


def test_only_the_newest_deployments_have_a_port_of_their_own(sandbox: Sandbox, project: Project) -> None:
    first, *_, last = [project.deploy({"/index.html": str(number)}) for number in range(21)]
    with pytest.raises(OSError, match="refused"):
        get(first["url"])
    named = project.api("GET", f"/deployments/{first['id']}")["url"]
    assert named.startswith(f"http://{first['short_id']}.{project.name}.pages.localhost:")
    by_name = get(sandbox.endpoints["control_url"] + "/", Host=named.removeprefix("http://"))
    assert (by_name.text, get(last["url"] + "/").text) == ("0", "20")


def test_a_protected_site_lets_in_only_who_has_the_service_token(sandbox: Sandbox, project: Project) -> None:
    url = project.deploy({"/index.html": "inside"})["url"] + "/"
    wanted = {"CF-Access-Client-Id": "me.access", "CF-Access-Client-Secret": "hush"}
    sandbox.control("POST", "pages/access", {"project": project.name, "headers": wanted})
    answers = [get(url), get(url, CF_Access_Client_Id="me.access", CF_Access_Client_Secret="no")]
    assert [(answer.status, "protected" in answer.text) for answer in answers] == [(403, True), (403, True)]
    assert get(url, CF_Access_Client_Id="me.access", CF_Access_Client_Secret="hush").text == "inside"
    sandbox.control("POST", "pages/access", {"project": project.name, "headers": {}})
    assert get(url).text == "inside"


def test_a_site_with_functions_is_served_as_files_and_its_log_says_so(project: Project) -> None:
    deployed = project.deploy({"/index.html": "static"}, **{"_worker.bundle": "export default {}"})
    log = project.api("GET", f"/deployments/{deployed['id']}/history/logs")
    assert deployed["uses_functions"] is True
    assert "does not run functions" in log["data"][-2]["line"]
    assert get(deployed["url"] + "/").text == "static"
