"""client.query("a:none") in a docstring is no call."""

import os

import requests
from convex import ConvexClient

client = ConvexClient(os.environ["CONVEX_URL"])
LIST = "a:list"


def read(client: ConvexClient, name: str) -> None:
    client.query("a:get", {"id": 1})  # FOUND: string a:get
    client.mutation("deep/a.js:put")  # FOUND: string deep/a:put
    for one in client.subscribe(LIST):  # FOUND: string a:list
        print(one)
    client.query("select 1")  # OK: no name of a function
    client.query(name)  # DYNAMIC:
    client.action(f"deep/a:{name}")  # DYNAMIC: deep/a
    client.query("deep/" + name)  # DYNAMIC: deep
    session.query(Site)  # OK: another library's
    # client.query("a:comment")


class Jobs:
    def __init__(self) -> None:
        self.convex = ConvexClient(URL)

    def run(self, name: str) -> None:
        self.convex.query(name)  # DYNAMIC:


requests.post(f"{URL}/api/query", json={"path": "a:http", "args": {}})  # FOUND: http a:http
requests.post(URL + "/api/mutation", json={"path": name})  # DYNAMIC:
requests.post(f"{URL}/api/run/deep/a/over", json={})  # FOUND: http deep/a:over
