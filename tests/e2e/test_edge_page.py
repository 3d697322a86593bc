"""The bundle's page predicts in a real browser what the notebook predicted, with files of its own folder only."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import page
from tests.conftest import Converted

pytestmark = pytest.mark.slow


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[[Path], str]]:
    """Serve a folder on a free loopback port."""
    servers = []

    def start(folder: Path) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.xdist_group(n)) for n in ("flight_delays", "house_prices", "food_reviews", "penguins")],
)
def test_it_predicts_what_the_notebook_predicted(
    name: str, converted: Callable[[str], Converted], serve: Callable[[Path], str]
) -> None:
    edge = converted(name).folder / "edge"
    golden = json.loads((edge / "golden.json").read_text(encoding="utf-8"))
    signature = json.loads((edge / "signature.json").read_text(encoding="utf-8"))
    base = serve(edge)
    asked: list[str] = []
    with page() as opened:
        opened.on("request", lambda request: asked.append(request.url))
        opened.goto(base)
        expect(opened.locator("#status")).to_have_text("The model is loaded.", timeout=60_000)
        assert not opened.text_content("#error")

        row = golden["rows"][3]
        for column in signature["raw"]["inputs"]:
            field = opened.get_by_label(column["name"], exact=True)  # every field has a label
            value = row[column["name"]]
            if field.evaluate("e => e.tagName") == "SELECT":
                field.select_option(json.dumps(value, ensure_ascii=False))
            else:
                field.fill("" if value is None else str(value))
        opened.keyboard.press("Enter") if name == "food_reviews" else opened.get_by_role("button", name="Predict").click()
        expect(opened.locator("#answer")).to_be_visible(timeout=30_000)
        assert not opened.text_content("#error")
        expected = golden["predictions"][3]
        shown = opened.text_content("#prediction")
        assert shown is not None
        if isinstance(expected, float):
            assert float(shown) == pytest.approx(expected, rel=1e-6)
        else:
            assert shown == str(expected)

        opened.get_by_role("button", name="Check the golden rows").click()
        count = len(golden["rows"])
        assert count >= 200
        agree = f"{count} of {count} golden rows agree with the notebook."
        expect(opened.locator("#checked")).to_have_text(agree, timeout=60_000)
    assert all(url.startswith(base) for url in asked), "the page asked another host"


@pytest.mark.xdist_group("penguins")
def test_a_changed_model_is_refused(converted: Callable[[str], Converted], serve: Callable[[Path], str], tmp_path: Path) -> None:
    copy = tmp_path / "edge"
    shutil.copytree(converted("penguins").folder / "edge", copy)
    with (copy / "model.onnx").open("ab") as file:
        file.write(b"\0")
    with page() as opened:
        opened.goto(serve(copy))
        expect(opened.locator("#error")).to_contain_text("model.onnx was changed", timeout=60_000)
        assert opened.get_by_role("button", name="Predict").is_disabled()


@pytest.mark.xdist_group("penguins")
def test_a_wrong_number_is_named_and_gets_the_focus(converted: Callable[[str], Converted], serve: Callable[[Path], str]) -> None:
    edge = converted("penguins").folder / "edge"
    signature = json.loads((edge / "signature.json").read_text(encoding="utf-8"))
    required = [c for c in signature["raw"]["inputs"] if c["kind"] == "float" and not c["nullable"]]
    if not required:
        pytest.skip("every number of this model may be missing")
    with page() as opened:
        opened.goto(serve(edge))
        field = opened.get_by_label(required[0]["name"], exact=True)
        field.fill("")
        opened.get_by_role("button", name="Predict").click()
        expect(opened.locator("#error")).not_to_be_empty()
        assert required[0]["name"] in (opened.text_content("#error") or "")
        assert field.get_attribute("aria-invalid") == "true"
