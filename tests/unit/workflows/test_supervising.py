"""What a supervisor gives its replicas."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.deploy.files import hash_key
from jupyter_mlops.workflows.supervising import _replica


def test_replicas_hash_what_they_log_by_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SERVICE_LOG_HASH_KEY", raising=False)
    keys = {_replica(tmp_path, tmp_path / "project", port, "")[2]["SERVICE_LOG_HASH_KEY"] for port in (1, 2)}
    assert keys == {hash_key(tmp_path)}
    monkeypatch.setenv("SERVICE_LOG_HASH_KEY", "of the team")
    assert _replica(tmp_path, tmp_path / "project", 3, "")[2]["SERVICE_LOG_HASH_KEY"] == "of the team"
