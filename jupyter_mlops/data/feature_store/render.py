"""Plan to the files of a Feast repository."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jupyter_mlops.data.feature_store.online import SQLITE, is_of, is_own, namespace, online_store

if TYPE_CHECKING:
    from jupyter_mlops.data.feature_store.plan import FeaturePlan

__all__ = ["CONFIGURATION", "configuration", "render"]

CONFIGURATION = "feature_store.yaml"
# Without a size, Feast writes all rows at once, and holds them all in memory.
_NEW = """# Yours: publishing again keeps this file, but for the name of the project where the online store is no file in this folder.
project: {package}
provider: local
registry: data/registry.db
offline_store:
  type: file
entity_key_serialization_version: 3
materialization:
  online_write_batch_size: 10000
"""


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


def configuration(plan: FeaturePlan, former: str | None, online: str | None = None) -> str:
    """The text of `feature_store.yaml`: the former one, where there is one for this project, since it belongs to the user.

    Parameters
    ----------
    online
        Its section ``online_store``, as text; None keeps the former one.
    """
    import yaml

    held = _held(former)
    if former is None or not is_of(held.get("project"), plan.package):
        text, held = _NEW.format(package=plan.package) + (online or online_store(SQLITE)), {}
    elif online is None:
        text = former
    else:
        rest = {name: value for name, value in held.items() if name != "online_store"}
        text = yaml.safe_dump(rest, sort_keys=False) + online
    project = plan.package if is_own(_held(text)) else namespace(plan.package, held.get("project"))
    return re.sub(r"(?m)^(project:).*$", rf"\1 {project}", text, count=1)


def _held(text: str | None) -> dict[str, Any]:
    import yaml

    try:
        held = yaml.safe_load(text or "")
    except yaml.YAMLError:
        return {}
    return held if isinstance(held, dict) else {}
