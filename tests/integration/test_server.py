"""The server extension in a real Jupyter server: who may ask, for which paths, in which shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import jupyter_mlops
from jupyter_mlops.server.routes import ROUTES
from tests.messages import check_message
from tests.notebooks import PENGUINS, write_notebook
from tests.server import Server, as_json, running_server

pytestmark = pytest.mark.xdist_group("server")

CELLS = [
    {
        "id": f"c{n}",
        "type": "markdown" if tag == "md" else "code",
        "source": source.strip("\n"),
        "tags": [tag] if tag not in ("", "md") else [],
    }
    for n, (tag, source) in enumerate(PENGUINS)
]
REPORT = "penguins/1/20261130T120000/report.html"
METHODS = ("get", "post", "put", "patch", "delete", "head")


def addresses() -> list[tuple[str, str]]:
    """Every method of every address, from the extension's own list."""
    found = []
    for pattern, handler in ROUTES:
        address = re.sub(r"\(\[A-Za-z0-9_-\]\{1,64\}\)", "0123abc", pattern).replace("(?:/.*)?", "/nothing/here")
        address = address.replace(r"([^/]+)/([0-9]{1,18})/([0-9]{8}T[0-9]{6})/(report|drift)\.html", REPORT)
        assert re.fullmatch(r"[A-Za-z0-9/.]+", address), f"give {pattern} an example here"
        found += [(method, address) for method in METHODS if method in vars(handler)]
    return found


ADDRESSES = addresses()
CHANGING = [(method, address) for method, address in ADDRESSES if method not in ("get", "head")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server as at a hub: not at the root of its host. Jupyter's own check of all handlers is off, so that ours show."""
    work, place = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("place")
    write_notebook(work / "penguins.ipynb", PENGUINS)
    (work / "sub").mkdir()
    write_notebook(work / "sub" / "other.ipynb", [("", "a = 1")])
    outside = tmp_path_factory.mktemp("outside")
    write_notebook(outside / "secret.ipynb", [("", "a = 1")])
    (work / "out.ipynb").symlink_to(outside / "secret.ipynb")
    (work / "way").symlink_to(outside, target_is_directory=True)
    write_notebook(work / ".hidden.ipynb", [("", "a = 1")])
    options = ("--ServerApp.allow_unauthenticated_access=True",)
    with running_server(work, place, base_url="/user/ada/", options=options) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    """With the token."""
    with server.client() as made:
        yield made


@pytest.fixture(scope="module")
def browser(server: Server) -> Iterator[httpx.Client]:
    """With a browser's cookies only."""
    made = server.browser()
    yield made
    made.close()


def message(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """An error, in its one shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    found: dict[str, Any] = answer.json()
    check_message("status", "ErrorMessage", found)
    assert found["code"] == code, found
    return found


# -- who may ask -------------------------------------------------------------------------------------------------------


def test_the_list_of_addresses_is_that_of_the_contract() -> None:
    headers = " ".join(
        re.sub(r"\s+", " ", (Path(jupyter_mlops.__file__).parent / "schema" / "api" / f"{name}.yaml").read_text())
        for name in ("status", "notebook", "runs", "models", "monitoring", "jobs", "services")
    )
    written = set(re.findall(r"\b(GET|POST|DELETE) ([a-z]+(?:/(?:[A-Z]+|[a-z]+\.html|[a-z]+))*)", headers))
    named = {"0123abc": "ID", REPORT: "MODEL/VERSION/WINDOW/report.html"}
    here = set()
    for method, address in ADDRESSES:
        for example, name in named.items():
            address = address.replace(example, name)
        if "nothing" not in address:
            here.add((method.upper(), address.lstrip("/")))
    assert written == here


@pytest.mark.parametrize(("method", "address"), ADDRESSES)
def test_nobody_is_answered_without_a_login(server: Server, method: str, address: str) -> None:
    for headers in ({}, {"Authorization": "token wrong"}):
        answer = httpx.request(method, f"{server.api}{address}", headers=headers)
        assert answer.status_code == 403
        if method != "head":
            message(answer, 403, "unauthenticated")


@pytest.mark.parametrize(("method", "address"), CHANGING)
def test_another_site_cannot_use_the_login(server: Server, browser: httpx.Client, method: str, address: str) -> None:
    url = f"{server.api}{address}"
    body: dict[str, Any] = {} if method == "delete" else {"content": "{}"}
    plain = {"Content-Type": "text/plain"}  # what a page may send without asking
    message(browser.request(method, url, headers=plain, **body), 403, "xsrf")
    elsewhere = browser.request(method, url, headers={**plain, "Origin": "http://elsewhere.example"}, **body)
    message(elsewhere, 404, "not-found")
    token = {"X-XSRFToken": browser.cookies["_xsrf"], "Content-Type": "application/json"}
    foreign = browser.request(method, url, headers={**token, "Origin": "http://elsewhere.example"}, **body)
    message(foreign, 404, "not-found")
    own = browser.request(method, url, headers={**token, "Origin": server.origin}, **body)
    if method == "post" and "nothing" not in address:
        message(own, 400, "bad-message")  # it was let in: its message is empty
    else:
        message(own, 404, "not-found")  # so was this: there is nothing of that id


def test_another_site_cannot_read_either(server: Server, browser: httpx.Client) -> None:
    answer = browser.get(f"{server.api}/status", headers={"Origin": "http://elsewhere.example"})
    assert answer.status_code == 404 and "access-control-allow-origin" not in answer.headers
    assert browser.get(f"{server.api}/status").status_code == 200


def test_a_body_is_json_and_says_so(client: httpx.Client) -> None:
    answer = client.post("services", content='{"project": "x"}', headers={"Content-Type": "text/plain"})
    message(answer, 415, "bad-message")


# -- messages ----------------------------------------------------------------------------------------------------------

BAD = [b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"kind": NaN}', b"\xff\xfe", b"[" * 100_000, b'{"x":' * 50_000]


@pytest.mark.parametrize("address", [a for m, a in CHANGING if m == "post" and "nothing" not in a])
@pytest.mark.parametrize("number", range(len(BAD)))
def test_a_bad_message_is_told_so(client: httpx.Client, address: str, number: int) -> None:
    answer = client.post(address.lstrip("/"), content=BAD[number], headers={"Content-Type": "application/json"})
    message(answer, 400, "bad-message")


@pytest.mark.parametrize("query", ["limit=x", "limit=-1", "limit=99999", "offset=1e3", "descending=maybe", "limit=٣"])
def test_a_bad_address_is_told_so(client: httpx.Client, query: str) -> None:
    message(client.get(f"runs?path=penguins.ipynb&{query}"), 400, "bad-message")


def test_what_lacks_is_named(client: httpx.Client) -> None:
    assert "path=" in message(client.get("runs"), 400, "bad-message")["message"]
    assert "name=" in message(client.get("models/versions?path=penguins.ipynb"), 400, "bad-message")["message"]
    message(client.get("jobs?kind=nothing"), 400, "bad-message")
    message(client.get("runs/compare?path=penguins.ipynb&run=a"), 400, "usage")


def test_a_message_may_be_too_large(client: httpx.Client) -> None:
    message(client.post("jobs", json={"kind": "run", "path": "x" * 2_000_000, "parameters": {}}), 413, "too-large")


def test_nothing_is_at_other_addresses(client: httpx.Client) -> None:
    for address in ("nothing", "jobs/a/b/c", "jobs/a.b", "status/"):
        message(client.get(address), 404, "not-found")
    message(client.post("nothing", json={}), 404, "not-found")
    message(client.put("jobs", json={}), 405, "method")


# -- paths -------------------------------------------------------------------------------------------------------------

TRICKS = [
    "../secret.ipynb", "sub/../../secret.ipynb", "/etc/passwd.ipynb", "//x.ipynb", "out.ipynb", "way/secret.ipynb",
    ".hidden.ipynb", "a.ipynb\0", "..", "sub/../penguins.ipynb",
]  # fmt: skip


@pytest.mark.parametrize("path", TRICKS)
@pytest.mark.parametrize("address", ["status", "runs", "runs/compare", "models", "models/versions", "monitoring", "jobs"])
def test_no_path_leads_out_in_an_address(client: httpx.Client, address: str, path: str) -> None:
    if "\0" in path:  # it never gets here: it is a space by then
        message(client.get(address, params={"path": path, "name": "x"}), 400, "usage")
        return
    message(client.get(address, params={"path": path, "name": "x", "run": ["a", "b"]}), 403, "outside-root")
    encoded = "".join(f"%{byte:02x}" for byte in path.encode())
    message(client.get(f"{address}?path={encoded}&name=x"), 403, "outside-root")


@pytest.mark.parametrize("path", [*TRICKS, ""])
def test_no_path_leads_out_in_a_message(client: httpx.Client, path: str) -> None:
    notebook = {"path": path, "language": "python", "cells": []}
    asked: list[tuple[str, dict[str, Any]]] = [
        ("notebook", notebook),
        ("notebook/parameters", {**notebook, "values": {}}),
        ("jobs", {"kind": "run", "path": path, "parameters": {}}),
        ("jobs", {"kind": "convert", "path": path}),
        ("jobs", {"kind": "promote", "path": path, "model": "m", "version": "1"}),
        ("jobs", {"kind": "monitor", "path": path, "model": "m"}),
        ("jobs", {"kind": "convert", "path": "penguins.ipynb", "output": path}),
        ("services", {"project": path}),
    ]
    for address, body in asked:
        if path == "sub/../penguins.ipynb" and "output" in body:
            continue
        message(client.post(address, json=body), 403, "outside-root")


def test_a_literal_percent_sign_is_no_way_out(client: httpx.Client) -> None:
    message(client.post("services", json={"project": "%2e%2e/outside"}), 404, "not-found")
    message(client.get("runs?path=%252e%252e/secret.ipynb"), 404, "not-found")


def test_only_projects_have_services(client: httpx.Client) -> None:
    message(client.post("services", json={"project": "sub"}), 400, "usage")


# -- answers -----------------------------------------------------------------------------------------------------------


def test_status(client: httpx.Client, server: Server) -> None:
    import getpass

    found = as_json(client.get("status?path=sub/other.ipynb"))
    check_message("status", "Status", found)
    assert found["version"] == jupyter_mlops.__version__
    assert found["user"]["username"] == getpass.getuser()  # not the "Anonymous Io" of the token
    assert found["tracking"] == {
        "uri": f"sqlite:///{server.work.resolve()}/sub/mlflow.db",
        "kind": "file",
        "reachable": True,
        "message": None,
    }


def test_the_notebook_as_it_stands_in_the_browser(client: httpx.Client) -> None:
    found = as_json(client.post("notebook", json={"path": "unsaved.ipynb", "language": "python", "cells": CELLS}))
    check_message("notebook", "NotebookView", found)
    assert found["tagged"] and [one["name"] for one in found["parameters"]] == ["n_estimators", "heavy", "test_size"]
    odd = [{"id": "a", "type": "code", "source": "x = '\ud800'", "tags": []}]
    body = json.dumps({"path": "unsaved.ipynb", "language": "python", "cells": odd})
    answer = client.post("notebook", content=body, headers={"Content-Type": "application/json"})
    check_message("notebook", "NotebookView", as_json(answer))


def test_restored_parameters(client: httpx.Client) -> None:
    body = {"path": "penguins.ipynb", "language": "python", "cells": CELLS, "values": {"n_estimators": "7", "other": "1"}}
    found = as_json(client.post("notebook/parameters", json=body))
    check_message("notebook", "Restored", found)
    assert found["changed"] == ["n_estimators"] and found["unknown"] == ["other"]


def test_runs_of_a_notebook_without_any(client: httpx.Client) -> None:
    found = as_json(client.get("runs?path=penguins.ipynb&filter=auc>0.8&sort=when"))
    check_message("runs", "RunsPage", found)
    assert found["rows"] == [] and found["experiment"] == "penguins"


def test_models_of_a_store_without_any(client: httpx.Client) -> None:
    found = as_json(client.get("models?path=penguins.ipynb"))
    check_message("models", "Models", found)
    assert found["models"] == []
    message(client.get("models/versions?path=penguins.ipynb&name=none"), 404, "not-found")


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("jobs", r'{"kind": "run", "path": "penguins.ipynb", "parameters": {"n": "\ud800"}}'),
        ("jobs", r'{"kind": "promote", "path": "penguins.ipynb", "model": "\ud800", "version": "1"}'),
        ("promotions/x/decision?path=penguins.ipynb", r'{"decision": "approve", "comment": "\ud800"}'),
    ],
)
def test_half_a_character_is_refused_where_it_would_be_kept(client: httpx.Client, address: str, body: str) -> None:
    answer = client.post(address, content=body, headers={"Content-Type": "application/json"})
    assert "surrogate" in message(answer, 400, "bad-message")["message"]


def test_what_is_of_no_id(client: httpx.Client) -> None:
    for method, address in (
        ("get", "jobs/x"),
        ("get", "jobs/x/log"),
        ("delete", "jobs/x"),
        ("get", "services/x"),
        ("delete", "services/x"),
        ("get", "promotions/x"),
    ):
        message(client.request(method, address), 404, "not-found")
    message(
        client.post("promotions/x/decision?path=penguins.ipynb", json={"decision": "approve", "comment": ""}), 404, "not-found"
    )
    message(client.post("services/x/predict", json={"row": {}}), 404, "not-found")


def test_the_server_itself_stays_light(client: httpx.Client, server: Server) -> None:
    """What MLflow and pandas cost is paid by a process that ends."""
    import psutil

    as_json(client.get("runs?path=penguins.ipynb"))
    assert server.process is not None
    mapped = {Path(one.path).name for one in psutil.Process(server.process.pid).memory_maps()}
    assert not {name for name in mapped if "pandas" in name or "numpy" in name or "multiarray" in name}
    assert len(psutil.Process(server.process.pid).children()) >= 1


# A part of the server that somebody else has written, with an error that nobody expects.
FAULTY = """
from jupyter_server.services.contents.largefilemanager import LargeFileManager

class Faulty(LargeFileManager):
    @property
    def allow_hidden(self):
        raise RuntimeError("what only the log may know")
"""


def test_an_unexpected_error_is_told_to_the_log_only(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "faulty.py").write_text(FAULTY, encoding="utf-8")
    options = ("--ServerApp.contents_manager_class=faulty.Faulty",)
    with running_server(tmp_path / "work", tmp_path, env={"PYTHONPATH": str(tmp_path)}, options=options) as server:
        with server.client() as client:
            answer = client.get("status")
        found = message(answer, 500, "internal")
        assert found["fix"] == "The server's log has the details."
        assert "only the log" not in answer.text and "RuntimeError" not in answer.text and "Traceback" not in answer.text
        assert "Traceback" in server.log and "RuntimeError: what only the log may know" in server.log
