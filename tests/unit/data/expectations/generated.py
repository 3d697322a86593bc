"""The checking modules of a generated project, rendered and imported."""

from __future__ import annotations

import importlib
import itertools
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

from jupyter_mlops.convert.render import _environment, _root

_number = itertools.count()


def checking_modules(folder: Path) -> dict[str, ModuleType]:
    """`expectations`, `measures` and `validation` of a package in `folder`; its suites are read from ``folder/expectations``."""
    package = f"checked_{next(_number)}"
    target = folder / "src" / package
    target.mkdir(parents=True)
    (target / "__init__.py").write_text("")
    plan = SimpleNamespace(package=package, suites=("some",))
    for name in ("expectations", "measures", "validation"):
        source = next(_root().glob(f"src/__package__/{name}.py*"))
        text = source.read_text(encoding="utf-8")
        if source.suffix == ".j2":
            text = _environment().from_string(text).render(plan=plan)
        (target / f"{name}.py").write_text(text, encoding="utf-8")
    sys.path.insert(0, str(folder / "src"))
    try:
        return {name: importlib.import_module(f"{package}.{name}") for name in ("expectations", "measures", "validation")}
    finally:
        sys.path.remove(str(folder / "src"))
