"""How the service of a project is started for a try."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from jupyter_mlops.environment import free_port, service_environment


def test_a_service_gets_no_token_and_compiles_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JUPYTERHUB_API_TOKEN", "JUPYTER_TOKEN", "JPY_API_TOKEN", "KERNEL_USERNAME", "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("SERVICE_PORT", "1")
    monkeypatch.setenv("LANG_OF_MINE", "en")
    found = service_environment(tmp_path, 4567)
    assert not [name for name, value in found.items() if value == "x"]
    assert (found["SERVICE_HOST"], found["SERVICE_PORT"], found["LANG_OF_MINE"]) == ("127.0.0.1", "4567", "en")


def test_a_free_port_can_be_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
