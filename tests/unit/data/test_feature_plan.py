"""What a feature repository holds is decided from the project and its source, before Feast is asked."""

from __future__ import annotations

import ast
import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from jupyter_mlops.data.feature_store.plan import FeaturePlan, plan_features
from jupyter_mlops.data.feature_store.render import configuration, render
from jupyter_mlops.data.feature_store.source import look_at, write_source
from jupyter_mlops.data.feature_store.worker import _read_times
from jupyter_mlops.errors import UsageError

ABOUT = {"name": "churn", "package": "churn", "version": "1", "model_version": "3", "notebook": "churn.ipynb"}
KINDS = {"id": "integer", "seen": "datetime", "age": "integer", "plan": "string", "share": "float"}


def column(name: str, kind: str, dtype: str) -> dict[str, Any]:
    return {"name": name, "kind": kind, "dtype": dtype}


SIGNATURE: dict[str, Any] = {
    "raw": {"inputs": [column("id", "integer", "int64"), column("age", "float", "float64"), column("plan", "string", "object"),
                       column("seen", "datetime", "datetime64[ns]"), column("share", "float", "float32")]},
    "model": {"layout": "frame", "inputs": [column("age", "float", "float64"), column("plan_pro", "boolean", "bool")]},
}  # fmt: skip


def planned(**more: Any) -> FeaturePlan:
    given: dict[str, Any] = {
        "about": ABOUT, "signature": SIGNATURE, "kinds": KINDS, "entity": "id", "timestamp": "seen", "ttl": 0, "request": (),
        "source": "s.parquet", "project": "../churn",
    }  # fmt: skip
    given |= more
    return plan_features(given.pop("about"), given.pop("signature"), given.pop("kinds"), **given)


def test_a_column_is_stored_or_comes_with_the_request() -> None:
    plan = planned(request=("plan",))
    assert [(one.name, one.type) for one in plan.columns] == [("age", "Float64"), ("share", "Float32")]
    assert [(one.name, one.type) for one in plan.request] == [("plan", "String"), ("seen", "UnixTimestamp")]
    assert [(one.name, one.type) for one in plan.inputs] == [("model_age", "Float64"), ("model_plan_pro", "Bool")]
    assert plan.entity_type == "INT64" and plan.version == "3"


def test_an_input_that_is_no_table_has_no_view() -> None:
    signature = {**SIGNATURE, "model": {"layout": "array", "inputs": SIGNATURE["model"]["inputs"]}}
    plan = planned(signature=signature)
    assert plan.inputs == ()
    assert "on_demand_feature_view(" not in render(plan)["definitions.py"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"request": ("nothing",)}, "takes no column nothing; it takes id, age, plan"),
        ({"kinds": {"id": "integer", "seen": "datetime"}}, "none of the columns that the model takes"),
        ({"kinds": {**KINDS, "plan": "integer"}}, "'plan' is of kind string in the model and integer in the source"),
        ({"kinds": {**KINDS, "share": "decimal128(5, 2)"}}, "'share' is of kind float in the model and decimal128"),
    ],
)
def test_what_feast_cannot_hold_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        planned(**more)


def test_a_name_that_feast_does_not_take_is_refused() -> None:
    signature = {**SIGNATURE, "raw": {"inputs": [column("a:b", "float", "float64")]}}
    with pytest.raises(UsageError, match="Feast takes no feature called 'a:b'"):
        planned(signature=signature, kinds={**KINDS, "a:b": "float"})


def test_a_name_that_feast_would_mistake_is_refused() -> None:
    names = ("share__ts", "share")
    signature = {**SIGNATURE, "raw": {"inputs": [column(name, "float", "float64") for name in names]}}
    with pytest.raises(UsageError, match="Feast takes no feature called 'share__ts'"):
        planned(signature=signature, kinds={**KINDS, "share__ts": "float"})
    planned(
        signature={**SIGNATURE, "raw": {"inputs": [column("share__ts", "float", "float64")]}},
        kinds={**KINDS, "share__ts": "float"},
    )


def test_the_files_hold_any_text() -> None:
    odd = 'odd "name" \\ ä'
    signature = {**SIGNATURE, "raw": {"inputs": [column(odd, "float", "float64")]}}
    made = render(planned(signature=signature, kinds={**KINDS, odd: "float"}))
    tree = ast.parse(made["definitions.py"])
    assert odd in [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]


def test_the_configuration_is_kept_for_the_same_project() -> None:
    plan = planned()
    fresh = configuration(plan, None)
    assert yaml.safe_load(fresh)["online_store"] == {"type": "sqlite", "path": "data/online_store.db"}
    ours = "project: churn\nonline_store: {path: data/ours.db}  # ours\n"
    assert configuration(plan, ours) == ours
    assert configuration(plan, ours.replace("churn", "other")) == fresh
    assert configuration(plan, "a: [") == fresh


def table(**columns: Any) -> pd.DataFrame:
    times = pd.to_datetime(["2025-01-01T00:00:00", "2025-01-01T00:00:00", "2025-03-01T10:00:00"])
    return pd.DataFrame({"id": [1, 1, 2], "seen": times, "age": [1.0, 2.0, None], **columns})


def test_a_source_is_looked_at(tmp_path: Path) -> None:
    table(plan=pd.Categorical(["a", "b", "a"])).to_parquet(tmp_path / "s.parquet")
    facts = look_at(tmp_path / "s.parquet", "id", "seen", ["share"])
    assert facts.kinds == {"id": "integer", "seen": "datetime", "age": "float", "plan": "string"}
    assert facts.as_dict() == {
        "rows": 3, "entities": 2, "repeated": 1, "first": "2025-01-01T00:00:00", "last": "2025-03-01T10:00:00",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "keys", "said"),
    [
        ({}, ("nobody", "seen"), "no column 'nobody'; it has id, seen, age"),
        ({}, ("id,age", "seen"), "no column 'id,age'; .* An entity is one column: make one of several"),
        ({}, ("age", "seen"), "'age' in .* of type float. Ids are"),
        ({}, ("id", "age"), "'age' in .* of type float. Store it as a time"),
        ({"id": [1, None, 2]}, ("id", "seen"), "of type float"),
        ({"id": ["a", None, "b"]}, ("id", "seen"), "1 rows of .* have no id"),
        ({"age": pd.to_datetime(["2025-01-01T00:00:00.5"] * 3)}, ("id", "seen"), "'age' of .* finer than a second"),
    ],
)
def test_a_source_that_feast_would_change_is_refused(
    columns: dict[str, Any], keys: tuple[str, str], said: str, tmp_path: Path
) -> None:
    table(**columns).to_parquet(tmp_path / "s.parquet")
    with pytest.raises(UsageError, match=said):
        look_at(tmp_path / "s.parquet", *keys, ["age"])


def test_rows_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    """Training and the service would each take one of them."""
    path = tmp_path / "s.parquet"
    table(age=[None, None, 2.0], plan=["a", "b", "a"]).to_parquet(path)
    assert look_at(path, "id", "seen", ["age"]).repeated == 1
    with pytest.raises(UsageError, match=r"2 rows of .* other values \(such as id 1 at 2025-01-01 00:00:00\): which of them"):
        look_at(path, "id", "seen", ["age", "plan"])


def test_ids_may_be_categories(tmp_path: Path) -> None:
    table(id=pd.Categorical(["a", "a", "b"])).to_parquet(tmp_path / "s.parquet")
    facts = look_at(tmp_path / "s.parquet", "id", "seen", ["share"])
    assert (facts.kinds["id"], facts.entities, facts.repeated) == ("string", 2, 1)


def test_times_of_the_raw_table_are_read_where_they_cannot_be_misread() -> None:
    dates = [dt.date(2025, 2, 1), None]
    for written, read in ((["2025-02-01T10:00:00", None], True), (dates, True), (["01/02/2025", None], False), ([1, "x"], False)):
        raw = pd.DataFrame({"seen": pd.Series(written, dtype=object)})
        _read_times(raw, "seen")
        assert (raw["seen"].dtype.kind == "M") is read
        _read_times(raw, "other")


def test_no_parquet_and_no_rows(tmp_path: Path) -> None:
    (tmp_path / "s.parquet").write_text("id,seen\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no Parquet file that can be read"):
        look_at(tmp_path / "s.parquet", "id", "seen")
    table().head(0).to_parquet(tmp_path / "s.parquet")
    with pytest.raises(UsageError, match="holds no rows"):
        look_at(tmp_path / "s.parquet", "id", "seen")


def test_csv_becomes_parquet(tmp_path: Path) -> None:
    table(born="2000-05-01").to_csv(tmp_path / "s.csv", index=False)
    write_source(tmp_path / "s.csv", tmp_path / "s.parquet", ("seen", "born", "absent"))
    kinds = look_at(tmp_path / "s.parquet", "id", "seen").kinds
    assert kinds["seen"] == "datetime" and kinds["born"] == "datetime"
    for unclear in ("never", "01/02/2025"):
        (tmp_path / "s.csv").write_text(f"id,seen\n1,{unclear}\n", encoding="utf-8")
        with pytest.raises(UsageError, match="cannot be read as CSV"):
            write_source(tmp_path / "s.csv", tmp_path / "t.parquet", ["seen"])
