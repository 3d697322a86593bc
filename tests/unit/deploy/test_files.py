"""Files of a deployment."""

from __future__ import annotations

from pathlib import Path

from jupyter_mlops.deploy.files import hash_key


def test_the_key_of_a_deployment_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    key = hash_key(tmp_path)
    assert hash_key(tmp_path) == key != hash_key(tmp_path / "other")
    assert len(bytes.fromhex(key)) == 32
    (file,) = (path for path in tmp_path.iterdir() if path.is_file())
    assert file.stat().st_mode & 0o077 == 0
