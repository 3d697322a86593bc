"""Edits mend the code, keep everything else, and leave nothing to find."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.notebook.checks.registry import rules
from jupyter_mlops.notebook.checks.run import apply_edits, check_notebook
from jupyter_mlops.notebook.read import read_notebook
from tests.unit.notebook.checks.helpers import Nothing, codes, write
from tests.unit.notebook.checks.labelled import BAD

CASES = {
    "m = RandomForestClassifier()": "m = RandomForestClassifier(random_state=0)",
    "m = RandomForestClassifier(\n    n_estimators=3,\n)": "m = RandomForestClassifier(\n    n_estimators=3, random_state=0,\n)",
    "m = RandomForestClassifier((3))": "m = RandomForestClassifier((3))",
    "a, b = train_test_split(df, test_size=0.2)  # ö": "a, b = train_test_split(df, test_size=0.2, random_state=0)  # ö",
    "name = 'ö'; a, b = train_test_split(df)": "name = 'ö'; a, b = train_test_split(df, random_state=0)",
    "part = df.sample(frac=.5).copy()": "part = df.sample(frac=.5, random_state=0).copy()",
    "df['a'].fillna(0, inplace=True)": "df['a'] = df['a'].fillna(0)",
    "df['a'].fillna(df['a'].mean(), inplace = True)  # why": "df['a'] = df['a'].fillna(df['a'].mean())  # why",
    "df['a'].replace(inplace=True, to_replace=1, value=2)": "df['a'] = df['a'].replace(to_replace=1, value=2)",
    "for d in [df]:\n    df['b'].fillna((1), inplace=True)": "for d in [df]:\n    df['b'].fillna((1), inplace=True)",
    "x = np.NaN + np.float(1)": "x = np.nan + float(1)",
    "e = OneHotEncoder(sparse=False)": "e = OneHotEncoder(sparse_output=False)",
    "from sklearn.cross_validation import KFold": "from sklearn.model_selection import KFold",
    "from sklearn.externals import joblib": "import joblib",
    "m = RandomForestRegressor(max_features='auto', random_state=0)": "m = RandomForestRegressor(max_features=1.0, random_state=0)",
    "sns.scatterplot(df.a, df.b)": "sns.scatterplot(x=df.a, y=df.b)",
    "sns.countplot('a', data=df)": "sns.countplot(x='a', data=df)",
    "!pip install -q seaborn": "!pip install -q seaborn==1.2.3",
    "%time m = RandomForestClassifier()": "%time m = RandomForestClassifier()",
    "for k, v in df.iteritems():\n    print(k)": "for k, v in df.items():\n    print(k)",
}  # fmt: skip
HEAD = """import numpy as np
import pandas as pd
import seaborn as sns
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder
df = pd.read_csv('data.csv')
"""


@pytest.mark.parametrize("before", CASES)
def test_the_edit(before: str, tmp_path: Path) -> None:
    notebook = read_notebook(write(tmp_path / "n.ipynb", (HEAD, before)))
    found = check_notebook(notebook, rules(), Nothing())
    sources = apply_edits(notebook, (edit for one in found for edit in one.edits))
    assert sources.get(2, before) == CASES[before]


MENDED = [(code, cells) for code, many in BAD.items() if rules()[code].mends for cells in many]


@pytest.mark.parametrize(("code", "cells"), MENDED, ids=[f"{code}-{n}" for n, (code, _) in enumerate(MENDED)])
def test_what_is_mended_is_not_found_again(code: str, cells: tuple[str, ...], tmp_path: Path) -> None:
    notebook = read_notebook(write(tmp_path / "n.ipynb", cells))
    found = [one for one in check_notebook(notebook, rules(), Nothing()) if one.problem.code == code]
    if not all(one.edits for one in found):
        pytest.skip("a person has to decide")
    sources = apply_edits(notebook, (edit for one in found for edit in one.edits))
    after = tuple(sources.get(cell.number, cell.source) for cell in notebook.cells)
    assert code not in codes(tmp_path / "after.ipynb", after)


def test_a_line_can_be_left_out(tmp_path: Path) -> None:
    cell = "import numpy as np\nx = np.float(1)  # mlops: ignore[removed-call]\ny = np.float(1)  # mlops: ignore[other]\nz = np.float(1)  # mlops: ignore"
    notebook = read_notebook(write(tmp_path / "n.ipynb", (cell,)))
    assert [one.problem.line for one in check_notebook(notebook, rules(), Nothing())] == [3]
