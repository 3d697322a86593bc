"""Plan to the files of a Feast repository."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_mlops.data.feature_store.plan import FeaturePlan

__all__ = ["CONFIGURATION", "configuration", "render"]

CONFIGURATION = "feature_store.yaml"


def render(plan: FeaturePlan) -> dict[str, str]:
    """Text files by name, without the configuration."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - Python
    )
    environment.filters["py"] = lambda text: json.dumps(text, ensure_ascii=False)
    template = files("jupyter_mlops.data.feature_store") / "templates" / "definitions.py.j2"
    text = environment.from_string(template.read_text(encoding="utf-8")).render(plan=plan)
    # `feast apply` imports all Python files that it finds.
    return {"definitions.py": text, ".feastignore": "project/\n"}


def configuration(plan: FeaturePlan, former: str | None) -> str:
    """The text of `feature_store.yaml`: the former one, where there is one for this project, since it belongs to the user."""
    import yaml

    if former is not None:
        try:
            held: Any = yaml.safe_load(former)
        except yaml.YAMLError:
            held = None
        if isinstance(held, dict) and held.get("project") == plan.package:
            return former
    told = (
        '# Yours: publishing again keeps this file. For Redis: online_store: {type: redis, connection_string: "localhost:6379"}\n'
    )
    data = {
        "project": plan.package, "provider": "local", "registry": "data/registry.db",
        "online_store": {"type": "sqlite", "path": "data/online_store.db"}, "offline_store": {"type": "file"},
        "entity_key_serialization_version": 3,
    }  # fmt: skip
    return told + yaml.safe_dump(data, sort_keys=False)
