"""Under which name something is recorded: the same, whoever asks."""

from __future__ import annotations

import getpass
from pathlib import Path
from types import SimpleNamespace

import pytest

from jupyter_mlops.jobs.manager import Jobs
from jupyter_mlops.server.identity import identify
from jupyter_mlops.workflows.person import current_user, system_user

VARIABLES = ("JUPYTER_MLOPS_USER", "JUPYTERHUB_USER", "LOGNAME", "USER", "LNAME", "USERNAME")


def test_the_user_of_a_job_and_of_the_hub_go_before_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    assert current_user() == system_user() == getpass.getuser()
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")  # the account of her server is called like those of all others
    assert current_user() == "ada"
    monkeypatch.setenv("JUPYTER_MLOPS_USER", "ben")
    assert current_user() == "ben"


def test_an_account_without_a_name_has_one_all_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As in a container whose user is a bare number; an author that is known by two names could approve his own version."""
    import pwd

    def none(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", none)
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    name = current_user()
    assert name.startswith("uid-")
    assert identify(SimpleNamespace(username="x"), None, "system").username == name
    assert Jobs(f"sqlite:///{tmp_path / 'jobs.db'}", tmp_path).list() == []
