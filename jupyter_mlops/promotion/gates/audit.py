"""What is in the artifact: nothing that runs code when it is loaded, nothing that was changed, nothing that is too large."""

from __future__ import annotations

import re
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

from jupyter_mlops.checksums import verify_checksums
from jupyter_mlops.promotion.gates.kinds import GateResult, Subject, Tell

__all__ = ["Audit"]

_PICKLES = (".pkl", ".pickle", ".joblib", ".dill", ".cloudpickle", ".pt", ".pth")
_PROTOCOL = re.compile(rb"\x80[\x02-\x05]")  # how a pickle begins
# Domains of operators that ONNX Runtime has itself; others would be libraries that it is told to load.
_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft", "ai.onnx.preview.training"})
# What every generated package trusts, and containers and values of the standard library.
_BASE = ("numpy", "pandas", "scipy", "sklearn", "collections", "datetime", "decimal", "fractions")
_NAMED = 5  # things that a message names


@dataclass(frozen=True)
class Audit:
    """No pickles, no types or operators of strangers, checksums that agree, a bounded size."""

    megabytes: float = 1024.0
    name: str = "audit"
    title: str = "Audit of the artifact"

    def run(self, subject: Subject, tell: Tell) -> GateResult:
        """Look at every file; nothing of the project is imported or loaded."""
        project = subject.project
        files = [path for path in project.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files) / 1e6
        figures: dict[str, float | int | str | bool | None] = {"files": len(files), "megabytes": round(size, 1)}
        found = [f"{path.relative_to(project).as_posix()} is a pickle" for path in files if _is_pickle(path)]
        tell("types in the model", None)
        for model in sorted(project.rglob("*.skops")):
            types, strangers = _types(model, project)
            figures["types"] = int(figures.get("types") or 0) + len(types)
            found += [f"{model.relative_to(project).as_posix()} {one}" for one in strangers]
        for model in sorted(project.rglob("*.onnx")):
            found += [f"{model.relative_to(project).as_posix()} {one}" for one in _operators(model)]
        if (project / "edge" / "model.onnx").is_file():
            found += [f"edge: {one}" for one in verify_checksums(project / "edge")]
        if size > self.megabytes:
            found.append(f"the project has {size:.0f} MB, and {self.megabytes:g} are allowed")
        if found:
            named = "; ".join(found[:_NAMED]) + (f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else "")
            message = f"{named}. Look where that comes from, and convert the notebook again."
            return GateResult("failed", message, {**figures, "findings": len(found)}, "\n".join(found))
        return GateResult("passed", f"{len(files)} files, {size:.1f} MB, no pickle, no type of a stranger", figures)


def _is_pickle(path: Path) -> bool:
    if path.name.endswith(_PICKLES):
        return True
    with path.open("rb") as file:
        return _PROTOCOL.match(file.read(2)) is not None


def _types(model: Path, project: Path) -> tuple[list[str], list[str]]:
    """Types in a skops file that it does not know to be harmless, and what is wrong with some of them."""
    from skops.io import get_untrusted_types

    try:
        types = list(get_untrusted_types(file=model))
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        return [], [f"cannot be read as a skops file: {error}"]
    known = set(_modules(project))
    return types, [
        f"holds {name}, of no library that the project depends on" for name in types if name.split(".")[0] not in known
    ]


def _modules(project: Path) -> Iterator[str]:
    """Top-level modules of the project's own package and of its dependencies, and the base of all."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    yield from _BASE
    yield from (path.name for path in (project / "src").glob("*") if (path / "__init__.py").is_file())
    try:
        declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    except (OSError, tomllib.TOMLDecodeError, KeyError):
        declared = []
    wanted = set()
    for text in declared:
        try:
            wanted.add(canonicalize_name(Requirement(text).name))
        except InvalidRequirement:
            continue
    for module, distributions in packages_distributions().items():
        # What the interpreter has itself can do anything; skops knows its harmless types.
        if module not in sys.stdlib_module_names and wanted & {canonicalize_name(one) for one in distributions}:
            yield module


def _operators(model: Path) -> list[str]:
    import onnx

    try:
        graph = onnx.load(model, load_external_data=False)
    except Exception as error:  # protobuf has no error of its own for a file that is none
        return [f"cannot be read as an ONNX model: {error}"]
    strangers = sorted({one.domain for one in graph.opset_import} - _DOMAINS)
    outside = sorted({one.name for one in graph.graph.initializer if one.data_location == onnx.TensorProto.EXTERNAL})
    return [f"needs operators of {domain!r}" for domain in strangers] + [f"keeps {name} in another file" for name in outside]
