"""The wheel: what is installed with pip is all that JupyterLab and its server need."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.sidebar import needs_bundle

pytestmark = pytest.mark.slow


def test_installed_with_pip_both_extensions_are_there(tmp_path: Path) -> None:
    needs_bundle()
    uv = str(Path(sys.executable).with_name("uv"))
    env = {**os.environ, "HATCH_BUILD_NO_HOOKS": "true"}
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", tmp_path, ROOT], check=True, env=env, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for needed in (
        "jupyter_mlops/schema/api/jobs.yaml",
        "jupyter_mlops/schema/events/job.yaml",
        "jupyter_mlops/convert/templates/project/promotion.yaml.j2",
    ):
        assert needed in names
    assert not [name for name in names if "node_modules" in name or name.endswith(".ts")]

    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv"], check=True, timeout=120)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, "--no-deps", wheel], check=True, timeout=120)
    # Everything else comes from this environment; its own, editable jupyter-mlops does not, since .pth files are not read there.
    env = {**os.environ, "PYTHONPATH": sysconfig.get_paths()["purelib"], "HOME": str(tmp_path), "JUPYTER_PREFER_ENV_PATH": "1"}

    def told(*command: str) -> str:
        done = subprocess.run(
            [python, "-m", *command], env=env, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
        )
        return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)

    where = told("jupyter_mlops.cli", "--version")
    assert "jupyter-mlops" in where, where
    server = told("jupyter_server.extension.serverextension", "list")
    assert "jupyter_mlops enabled" in server and "OK" in server.split("jupyter_mlops enabled")[1], server
    lab = told("jupyterlab.labextensions", "list")
    line = next(one for one in lab.split("\n") if "jupyter-mlops v" in one)
    assert "enabled" in line and "OK" in line, lab
