"""What is kept of a notebook holds no secret, and costs little."""

from __future__ import annotations

import base64
import json
import random
import time

import pytest

from jupyter_mlops.notebook.checks.secrets import masked, redacted

SECRET = "9f8a7c6e5d4b3a29180716253443526f"


@pytest.mark.parametrize(
    "text",
    [
        f"api_key = '{SECRET}'",
        f'api_key = "{SECRET}"',
        json.dumps({"source": [f'connect(api_key="{SECRET}")\n']}),
        json.dumps({"source": [f"conf['api_key'] = '{SECRET}'\n"]}),
        f"+api_key = '{SECRET}'\n-x = 1",
        f"read('postgresql://me:{SECRET}@host/db')",
        "A" * 5000 + f"\napi_key = '{SECRET}'",
    ],
)
def test_secrets_go(text: str) -> None:
    assert SECRET not in redacted(text) and "***" in redacted(text)


def test_values_go_wherever_they_stand() -> None:
    secret = "o'Türe\\4711"
    values = {"password": secret, "pin_pwd": "open", "depth": "horse-9-battery"}
    text = f"refused: {secret}"
    for one in (text, repr(text), json.dumps([text]), json.dumps([text], ensure_ascii=False), json.dumps(repr(text))):
        assert "4711" in redacted(one) and "4711" not in redacted(one, values) and "***" in redacted(one, values)
    # A word that is no secret, and one that may stand anywhere.
    assert redacted("horse-9-battery with open('x')", values) == "horse-9-battery with open('x')"


def test_all_else_stays() -> None:
    text = json.dumps(
        {"source": ["password = 'your-password'\n", "auc = 0.5  # https://example.org/a:b\n"], "png": "iVBOR/+" * 1000}
    )
    assert redacted(text) == text
    assert masked({"password": "hunter22", "depth": 3}) == {"password": "***", "depth": 3}


def test_pictures_cost_little() -> None:
    """A notebook of 8 MB, nearly all of it pictures; a pattern that tries at each letter takes a minute."""
    picture = base64.b64encode(random.Random(0).randbytes(3_000_000)).decode()
    text = json.dumps({"outputs": [picture, "word" * 500_000, "z_" * 500_000], "source": f"token = '{SECRET}'"})
    started = time.perf_counter()
    assert SECRET not in redacted(text)
    assert time.perf_counter() - started < 10
