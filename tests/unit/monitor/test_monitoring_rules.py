"""`monitoring.yaml`: read, refused with the key and what is allowed, and what options of a command change."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from jupyter_mlops.convert.render import _environment
from jupyter_mlops.errors import UsageError
from jupyter_mlops.monitor.rules import FILE, REASONS, DriftRule, Rules, WindowRule, overridden, read_rules
from jupyter_mlops.sections import read_sections


def test_the_template_says_the_defaults() -> None:
    template = _environment().get_template("monitoring.yaml.j2")
    text = template.render(plan=SimpleNamespace(monitoring="", name="churn"))
    assert read_sections(Rules, text, FILE) == Rules()
    # Each key stands in it, so that nobody has to look elsewhere.
    for section in ("window", "drift", "quality", "log", "retrain"):
        for key in vars(getattr(Rules(), section)):
            assert f"\n  {key}: " in text
    assert template.render(plan=SimpleNamespace(monitoring="# ours\n", name="churn")) == "# ours\n"


def test_all_sections(tmp_path: Path) -> None:
    assert read_rules(tmp_path) == Rules()
    (tmp_path / FILE).write_text(
        """
window: {length: 90m, rows: 50, sample: 500}
drift: {numeric: 0.2, categorical: 0.3, text: 0.7, columns: {distance: 0.4}, ignore: [month], share: 0.25, missing: 0.1}
quality: {margin: 0.05, confidence: 0.9}
log: {omit: [name], hash: [customer], days: 90}
retrain: {reasons: [concept-drift], again_after: 2w}
""",
        encoding="utf-8",
    )
    rules = read_rules(tmp_path)
    assert rules.window == WindowRule(timedelta(minutes=90), 50, 500)
    assert rules.drift == DriftRule(0.2, 0.3, 0.7, {"distance": 0.4}, ("month",), 0.25, 0.1)
    assert (rules.quality.margin, rules.quality.confidence) == (0.05, 0.9)
    assert (rules.log.omit, rules.log.hash, rules.log.days) == (("name",), ("customer",), 90)
    assert (rules.retrain.reasons, rules.retrain.again_after) == (("concept-drift",), timedelta(weeks=2))
    columns = ["distance", "month", "name", "customer"]
    assert rules.problem(columns) is None
    for missing, word in (
        ("distance", "drift.columns"),
        ("month", "drift.ignore"),
        ("name", "log.omit"),
        ("customer", "log.hash"),
    ):
        said = rules.problem([one for one in columns if one != missing])
        assert said is not None and word in said and repr(missing) in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("window: {length: soon}", ["window.length is 'soon'", "7d"]),
        ("window: {length: 0d}", ["window.length is '0d'"]),
        ("drift: {categorical: 2}", ["drift.categorical is 2", "from 1e-06 to 1"]),
        ("drift: {columns: {size: 0}}", ["drift.columns", "above 0"]),
        ("drift: {columns: [size]}", ["drift.columns", "{distance: 0.3}"]),
        ("retrain: {reasons: [rain]}", ["retrain.reasons is ['rain']", ", ".join(REASONS)]),
        ("retrain: {again: 7d}", ["retrain.again is no known key", "Did you mean retrain.again_after?"]),
        ("logs: {}", ["logs is no known key", "Did you mean log?"]),
        ("7d", ["it must hold sections, such as window,"]),
        ("log: {omit: name}", ["log.omit is 'name'", "a list of columns"]),
    ],
)
def test_what_is_not_allowed_is_said(text: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as found:
        read_sections(Rules, text, "monitoring.yaml of churn")
    for word in ["monitoring.yaml of churn", *words]:
        assert word in str(found.value)


def test_options_come_first() -> None:
    rule = DriftRule(numeric=0.2, ignore=("month",))
    assert overridden(rule, numeric=None, share=0.75) == DriftRule(numeric=0.2, ignore=("month",), share=0.75)
    with pytest.raises(UsageError, match=r"--share is 7, but must be a number from 0\.001 to 1"):
        overridden(rule, share=7)
