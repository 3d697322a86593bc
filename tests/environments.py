"""Environments of their own for tools that do not install beside the rest, made by uv and kept outside of the clone."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

__all__ = ["python_with"]

_AWAY = ("error sending request", "failed to fetch", "could not connect", "dns error", "timed out", "connection refused")


def python_with(*requirements: str) -> Path:
    """The interpreter of an environment with these requirements; skips the test where the registry is away."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)  # HOME is a test's own
    caches = Path(os.environ.get("XDG_CACHE_HOME", home / ".cache"))
    digest = hashlib.sha256("\n".join([sys.version, *requirements]).encode()).hexdigest()[:12]
    place = caches / "jupyter-mlops-tests" / digest
    place.parent.mkdir(parents=True, exist_ok=True)
    uv = Path(sys.executable).with_name("uv")
    env = {"UV_CACHE_DIR": str(caches / "uv"), **os.environ}
    with FileLock(f"{place}.lock"):
        if (place / ".complete").exists():
            return place / "bin" / "python"
        shutil.rmtree(place, ignore_errors=True)
        commands = [
            [str(uv), "venv", "--quiet", "--python", sys.executable, str(place)],
            [str(uv), "pip", "install", "--quiet", "--python", str(place / "bin" / "python"), *requirements],
        ]
        for command in commands:
            done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=600)
            if done.returncode != 0 and any(word in done.stderr.lower() for word in _AWAY):
                pytest.skip(f"the registry is away, so there is no environment with {', '.join(requirements)}")
            assert done.returncode == 0, done.stderr
        (place / ".complete").touch()
    return place / "bin" / "python"
