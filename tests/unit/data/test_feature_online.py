"""Where an online store is, and the names under which it is filled."""

from __future__ import annotations

import re

import pytest
import yaml

from jupyter_mlops.data.feature_store.online import is_own, namespace, online_store, unset_variables
from jupyter_mlops.data.feature_store.plan import FeaturePlan
from jupyter_mlops.data.feature_store.render import configuration
from jupyter_mlops.errors import UsageError

PLAN = FeaturePlan("churn.ipynb", "churn", "3", "churn", "id", "INT64", "seen", 0, (), (), (), "s.parquet", "../churn")


@pytest.mark.parametrize(
    ("address", "settings"),
    [
        ("redis://localhost", "localhost:6379,db=0"),
        ("redis://ada@store-1.example.org:7000/2", "store-1.example.org:7000,db=2,username=ada"),
        ("rediss://10.0.0.1/", "10.0.0.1:6379,db=0,ssl=true"),
    ],
)
def test_an_address_of_redis(address: str, settings: str) -> None:
    made = yaml.safe_load(online_store(address))["online_store"]
    assert made == {"type": "redis", "connection_string": settings + ",socket_timeout=5,socket_connect_timeout=5"}


@pytest.mark.parametrize(
    "address",
    ["localhost:6379", "http://x", "redis://", "redis://[::1]", "redis://h:x", "redis://h/a", "redis://h?a=1", "redis://a,b@h"],
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(UsageError, match=r"address|user|database"):
        online_store(address)


def test_a_password_is_never_written_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="--online-password VARIABLE") as refused:
        online_store("redis://:hunter2@localhost")
    assert "hunter2" not in str(refused.value)
    with pytest.raises(UsageError, match="not the password itself") as refused:
        online_store("redis://localhost", "hunter-2")
    assert "hunter" not in str(refused.value)
    monkeypatch.delenv("NO_SUCH", raising=False)
    with pytest.raises(UsageError, match="NO_SUCH is not set"):
        online_store("redis://localhost", "NO_SUCH")
    with pytest.raises(UsageError, match="SQLite has no password"):
        online_store("sqlite", "NO_SUCH")
    for misread in ("a,b", "a'b", "1e5", "true", '"abc"', "a\nb"):
        monkeypatch.setenv("STORE_PASSWORD", misread)
        with pytest.raises(UsageError, match="Feast would misread the password in STORE_PASSWORD"):
            online_store("redis://localhost", "STORE_PASSWORD")
    for taken in ("12345", "007", "a#: b", "$x=y"):
        monkeypatch.setenv("STORE_PASSWORD", taken)
        text = online_store("redis://localhost", "STORE_PASSWORD")
        assert taken not in text
        expanded = yaml.safe_load(text.replace("${STORE_PASSWORD}", taken))["online_store"]["connection_string"]
        assert expanded.endswith(f",password={taken}")


def test_what_outlives_the_repository_is_filled_under_two_names_in_turn() -> None:
    first = configuration(PLAN, None, online_store("redis://localhost"))
    name = yaml.safe_load(first)["project"]
    assert re.fullmatch(r"churn_[0-9a-f]{8}_a", name)
    second = configuration(PLAN, first)
    assert second == first.replace(name, name[:-1] + "b")
    assert configuration(PLAN, second) == first
    # Another repository of the same package has other names; one that leaves Redis has its own file.
    assert namespace("churn", None) != namespace("churn", "churn")
    back = yaml.safe_load(configuration(PLAN, first, online_store("sqlite")))
    assert back["project"] == "churn" and back["online_store"]["type"] == "sqlite" and back["offline_store"] == {"type": "file"}


def test_a_store_of_this_folder_alone() -> None:
    assert is_own({}) and is_own({"online_store": {"path": "data/x.db"}})
    for other in ("redis", {"type": "redis"}, {"path": "/srv/x.db"}, {"type": "sqlite", "path": "../x.db"}):
        assert not is_own({"online_store": other})


def test_variables_that_nobody_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERE", "1")
    monkeypatch.delenv("AWAY", raising=False)
    assert unset_variables("a: ${HERE}\nb: ${AWAY},${AWAY}\n  # ${COMMENT}\n") == ["AWAY"]
