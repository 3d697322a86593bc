"""The repository itself: one version, no addresses in lock files, public names, module sizes, a README that is true."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import jupyter_mlops
from tests.conftest import ROOT

PACKAGE = ROOT / "jupyter_mlops"
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if "templates" not in p.parts and "labextension" not in p.parts)
LISTED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_there_is_one_version() -> None:
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == jupyter_mlops.__version__
    assert package["license"] == PYPROJECT["project"]["license"] == "Apache-2.0"


@pytest.mark.parametrize("name", ["requirements.lock", "yarn.lock", ".yarnrc.yml", "package.json"])
def test_lock_files_hold_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    hosts = set(re.findall(r"(?:https?|file|git\+ssh)://[^\s\"']+", text)) - {"https://github.com/jupyter-mlops/jupyter-mlops"}
    assert not {h for h in hosts if "github.com/jupyter-mlops" not in h}


def test_every_requirement_is_locked() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE))
    wanted = [
        *PYPROJECT["project"]["dependencies"],
        *(w for extra in PYPROJECT["project"]["optional-dependencies"].values() for w in extra),
    ]
    names = {re.split(r"[\[<>=!;~ ]", w)[0].lower().replace("_", "-") for w in wanted} - {"jupyter-mlops"}
    assert names <= pinned, sorted(names - pinned)
    assert lock.count("--hash=sha256:") > len(pinned)


def test_extras_are_named_after_what_a_user_does() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"]
    assert {"data", "monitor", "deploy", "spark", "feast", "all"} <= set(extras)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_are_small_and_say_what_they_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 600
    tree = ast.parse(text)
    if tree.body:
        assert ast.get_docstring(tree), "a module says in its docstring what it is for"
    public = {
        node.name
        for node in tree.body
        # What a decorator registers is found by its table, not by its name.
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_") and not node.decorator_list
    }
    listed = next(
        (ast.literal_eval(n.value) for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "__all__"),
        None,
    )
    if listed is not None:
        assert public <= set(listed), f"public but not in __all__: {sorted(public - set(listed))}"


def test_no_file_names_a_machine() -> None:
    for name in LISTED:
        path = ROOT / name
        if (
            path.suffix in {".py", ".toml", ".md", ".j2", ".json", ".ipynb", ".ts", ".yml", ".yaml", ".sh", ".lock"}
            and path.is_file()
        ):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"/(?:home|Users|root)/[a-z]", text), name


def test_the_readme_names_targets_and_options_that_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", readme)) - {"is"} <= targets
    for link in re.findall(r"\]\(([^)#]+)\)", readme):
        if "://" not in link:
            assert (ROOT / link).exists(), link
    assert not re.search(r"^[A-Z]+_[A-Z]+$|^BENCHMARKS$", readme, re.MULTILINE), "a placeholder is left"
