"""Where a run comes from: git state, data files, environment."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_mlops.notebook.checks.secrets import redacted

__all__ = ["GitState", "environment", "git_state"]

_DIFF_LIMIT = 2 * 2**20  # characters of a diff that are kept
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@:]+(?::[^/\s@]*)?@")


@dataclass(frozen=True)
class GitState:
    """The commit of a folder's repository and what differs from it; all empty where there is none."""

    commit: str | None = None
    branch: str | None = None
    dirty: bool = False
    diff: str = ""

    @property
    def tags(self) -> dict[str, str]:
        """As tags of a run."""
        if not self.commit:
            return {}
        return {
            "git.commit": self.commit,
            "git.dirty": str(self.dirty).lower(),
            **({"git.branch": self.branch} if self.branch else {}),
        }


def git_state(folder: Path) -> GitState:
    """The state of the repository that `folder` lies in.

    The diff is that of tracked files against the last commit, staged or not. Credentials and what looks like a secret are left out.
    """
    git = shutil.which("git")
    if git is None:
        return GitState()

    def ask(*arguments: str) -> str | None:
        done = subprocess.run([git, "-C", str(folder), *arguments], capture_output=True, text=True, errors="replace", check=False)
        return done.stdout if done.returncode == 0 else None

    commit = ask("rev-parse", "--verify", "--quiet", "HEAD")
    if commit is None:
        return GitState()
    branch = ask("symbolic-ref", "--short", "--quiet", "HEAD")
    status = ask("status", "--porcelain")
    diff = redacted(_CREDENTIALS.sub("", ask("diff", "HEAD", "--no-color", "--no-ext-diff", "--no-textconv") or ""))
    if len(diff) > _DIFF_LIMIT:
        diff = f"{diff[:_DIFF_LIMIT]}\n... cut: the whole diff has {len(diff)} characters\n"
    return GitState(commit.strip(), branch.strip() if branch else None, bool(status), diff)


def environment(distributions: Mapping[str, str]) -> dict[str, Any]:
    """The interpreter, the platform and the versions of the distributions that the project needs."""
    return {
        "python": sys.version.split()[0],
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "distributions": dict(sorted(distributions.items())),
    }
