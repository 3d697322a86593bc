"""Distributions that the kept code needs, pinned with all they need in turn, from the installed environment."""

from __future__ import annotations

import importlib.metadata as metadata
import importlib.util
import re
import sys
from functools import cache
from pathlib import Path

__all__ = ["distribution_of_file", "distribution_of_module", "is_installed", "is_local", "lock", "normal"]

# Import names that differ from the distribution's, for the libraries that notebooks use: saves a scan of everything.
_KNOWN = {
    "PIL": "pillow", "bs4": "beautifulsoup4", "cv2": "opencv-python", "dateutil": "python-dateutil",
    "sklearn": "scikit-learn", "skimage": "scikit-image", "yaml": "pyyaml", "imblearn": "imbalanced-learn",
    "IPython": "ipython", "umap": "umap-learn", "attr": "attrs", "google.protobuf": "protobuf",
}  # fmt: skip


def normal(name: str) -> str:
    """PEP 503 normal form of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def _all_packages() -> dict[str, list[str]]:
    return dict(metadata.packages_distributions())


@cache
def distribution_of_module(module: str) -> str | None:
    """The installed distribution that gives a top-level module; None for the standard library and for unknown ones."""
    top = module.split(".")[0]
    if top in sys.stdlib_module_names:
        return None
    for name in (_KNOWN.get(top), top):
        if name is not None:
            try:
                metadata.version(name)
            except metadata.PackageNotFoundError:
                continue
            return normal(name)
    found = _all_packages().get(top)
    return normal(found[0]) if found else None


def is_local(module: str, folder: Path) -> bool:
    """True for a module that lies beside the notebook."""
    top = module.split(".")[0]
    return (folder / f"{top}.py").is_file() or (folder / top / "__init__.py").is_file()


def is_installed(module: str) -> bool:
    """True when a top-level module can be imported here."""
    try:
        return importlib.util.find_spec(module.split(".")[0]) is not None
    except (ImportError, ValueError):
        return False


def distribution_of_file(path: Path) -> str | None:
    """The distribution that installed a file, such as a data set that ships inside a package."""
    parts = path.parts
    for base in ("site-packages", "dist-packages"):
        if base in parts:
            return distribution_of_module(parts[parts.index(base) + 1])
    return None


@cache
def lock(names: tuple[str, ...]) -> tuple[str, ...]:
    """``name==version`` of distributions and of everything that they need here, sorted.

    Markers are evaluated for this interpreter; extras are followed where a requirement asks for them.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    pinned: dict[str, str] = {}
    waiting: list[tuple[str, frozenset[str]]] = [(normal(n.split("[")[0]), _extras(n)) for n in names]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        item = waiting.pop()
        if item in seen:
            continue
        seen.add(item)
        name, extras = item
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        pinned[normal(name)] = distribution.version.split("+")[0]
        for line in distribution.requires or ():
            try:
                requirement = Requirement(line)
            except InvalidRequirement:
                continue
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                waiting.append((normal(requirement.name), frozenset(requirement.extras)))
    return tuple(f"{name}=={version}" for name, version in sorted(pinned.items()))


def _extras(name: str) -> frozenset[str]:
    match = re.search(r"\[(.*)\]", name)
    return frozenset(e.strip() for e in match.group(1).split(",")) if match else frozenset()
