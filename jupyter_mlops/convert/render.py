"""Plan to files. Nothing is read or written but the templates; every decision was made in the plan."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

    from jupyter_mlops.convert.plan import ProjectPlan

__all__ = ["render"]

_SKIP = {"__pycache__", ".ruff_cache"}


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(str(_root())),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - Python, YAML and Markdown, no HTML
    )
    environment.filters["py"] = repr
    environment.filters["tojson"] = lambda value, indent=None: json.dumps(value, ensure_ascii=False, indent=indent)
    return environment


def _root() -> Path:
    return Path(str(files("jupyter_mlops.convert") / "templates" / "project"))


def render(plan: ProjectPlan, **extra: Any) -> dict[str, str]:
    """Text files of the project by path below its folder.

    A template's own path may hold ``__package__``, which becomes the package's name; ``.j2`` is dropped; files without
    it are taken as they are. A template that renders to white space only makes no file.
    """
    environment = _environment()
    root = _root()
    out: dict[str, str] = {}
    for path in sorted(root.rglob("*")):
        if not path.is_file() or _SKIP & set(path.parts) or path.suffix == ".pyc":
            continue
        relative = path.relative_to(root).as_posix().replace("__package__", plan.package)
        if relative.startswith("edge/") and plan.raw is not None and plan.engine != "onnx":
            continue  # it was run, and there is no ONNX model to put into a bundle
        if relative.startswith("batch/") and plan.raw is None:
            continue  # nothing is known yet about the columns
        if relative.endswith("/captures.py") and not plan.features.stateful:
            continue  # nothing is learned outside of the model
        if relative.endswith(f"{plan.package}/expectations.py") and not plan.suites:
            continue
        if path.suffix == ".j2":
            text = environment.get_template(path.relative_to(root).as_posix()).render(plan=plan, **extra)
            relative = relative.removesuffix(".j2")
        else:
            text = path.read_text(encoding="utf-8")
        if text.strip() or relative.endswith(("__init__.py", "py.typed")):
            out[relative] = text
    out.update({f"expectations/{suite.name}.json": suite.text for suite in plan.suites})
    module = environment.from_string((root.parent / "module.py.j2").read_text(encoding="utf-8"))
    for name, content in plan.modules.items():
        out[f"src/{plan.package}/{name}.py"] = module.render(module=content, plan=plan)
    return out
