"""A command that somebody else runs again and again: lines of a crontab, a workflow of GitHub Actions, a CronJob of Kubernetes."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from jupyter_mlops.convert.pipeline_files import check_cron
from jupyter_mlops.errors import OutputError, UsageError

__all__ = ["Target", "scheduled", "write_schedule"]

Target = Literal["cron", "github", "kubernetes"]
_SECRETS = ("MLFLOW_TRACKING_URI", "JUPYTER_MLOPS_DATABASE")  # where registry and journal are: they may hold passwords
_PRESETS = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *"}


def scheduled(command: Sequence[str], cron: str, target: Target, *, name: str, folder: Path, image: str | None = None) -> str:
    """The text of a schedule.

    Parameters
    ----------
    command
        Words of the command, from ``jupyter`` on.
    cron
        Five fields, or a preset such as ``@daily``.
    name
        What is done, for people: ``retrain flight-delays``.
    folder
        Where a crontab runs it.
    image
        For Kubernetes: an image that holds jupyter-mlops and what the notebook needs.

    Raises
    ------
    UsageError
        The schedule is none, or there is no image.
    """
    import yaml

    fields = check_cron(_PRESETS.get(cron, cron))
    if target == "cron":
        # In a crontab, a percent sign ends the command.
        line = f"cd {shlex.quote(str(folder))} && {shlex.join(command)}".replace("%", r"\%")
        return f"# {name}; it needs {' and '.join(_SECRETS)} above, where they are not the defaults\n{fields} {line}\n"
    if target == "github":
        return _dumped(yaml, _workflow(command, fields, name))
    if image is None:
        raise UsageError("A CronJob needs an image with jupyter-mlops and what the notebook imports: --image REGISTRY/NAME:TAG.")
    return _dumped(yaml, _cron_job(command, fields, name, image))


def write_schedule(text: str, path: Path, *, force: bool) -> None:
    """Write it; a file that says something else is only replaced with `force`.

    Raises
    ------
    OutputError
        There is such a file, or the folder cannot be written.
    """
    try:
        if path.exists() and not force and path.read_text(encoding="utf-8") != text:
            raise OutputError(f"{path} is there, and says something else. Give another name, or replace it: --force.")
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.") from None


def _workflow(command: Sequence[str], cron: str, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "on": {"schedule": [{"cron": cron}], "workflow_dispatch": {}},
        "permissions": {"contents": "read"},
        "concurrency": {"group": _slug(name), "cancel-in-progress": False},
        "jobs": {
            _slug(name): {
                "runs-on": "ubuntu-latest",
                "env": {secret: f"${{{{ secrets.{secret} }}}}" for secret in _SECRETS},
                "steps": [
                    {"uses": "actions/checkout@v4"},
                    {"uses": "actions/setup-python@v5", "with": {"python-version": "3.11"}},
                    {"run": "python -m pip install 'jupyter-mlops[monitor]' -r requirements.txt"},
                    {"run": shlex.join(command)},
                ],
            }
        },
    }


def _cron_job(command: Sequence[str], cron: str, name: str, image: str) -> dict[str, Any]:
    slug = _slug(name)
    container = {
        "name": "job",
        "image": image,
        "command": list(command),
        "env": [{"name": secret, "valueFrom": {"secretKeyRef": {"name": "jupyter-mlops", "key": secret}}} for secret in _SECRETS],
        "resources": {"requests": {"cpu": "1", "memory": "2Gi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    pod = {
        "restartPolicy": "Never",
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": slug, "labels": {"app.kubernetes.io/managed-by": "jupyter-mlops"}},
        "spec": {
            "schedule": cron,
            "concurrencyPolicy": "Forbid",
            "jobTemplate": {"spec": {"backoffLimit": 0, "template": {"spec": pod}}},
        },
    }


def _slug(text: str) -> str:
    """A name as Kubernetes has it: letters, digits and hyphens, at most 52 (it adds eleven)."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:52].rstrip("-")


def _dumped(yaml: Any, data: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)
    return text
