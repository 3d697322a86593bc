"""In serving every row stays."""

from __future__ import annotations

import ast

import pytest

from jupyter_mlops.convert.edits import statement_text
from jupyter_mlops.convert.rowops import is_row_removal, row_choice_edits, split_sources


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("d = df.dropna(subset=['a'])", "d = df"),
        ("d = df[df['a'] > 3]", "d = df"),
        ("d = df[(df.a > 3) & (df.b < 2)].copy()", "d = df.copy()"),
        ("d = df.loc[df['a'].notna(), ['a', 'b']]", "d = df.loc[:, ['a', 'b']]"),
        ("d = df.query('a > 3').reset_index(drop=True)", "d = df"),
        ("d = df[~df['a'].isin([1])][['b']]", "d = df[['b']]"),
        ("d = df.sample(frac=0.5, random_state=0).drop(columns=['a'])", "d = df.drop(columns=['a'])"),
        ("d = df.drop(df[df.a > 3].index)", "d = df"),
        ("d = df.iloc[10:200]", "d = df"),
        # These choose columns or values, not rows:
        ("d = df.drop('a', axis=1)", "d = df.drop('a', axis=1)"),
        ("d = df.dropna(axis=1)", "d = df.dropna(axis=1)"),
        ("d = df[['a', 'b']]", "d = df[['a', 'b']]"),
        ("d = df['a'].str[0:3]", "d = df['a'].str[0:3]"),
        ("d = df.reset_index()", "d = df.reset_index()"),
        ("d = df.iloc[:, 1:3]", "d = df.iloc[:, 1:3]"),
    ],
)
def test_row_choice_falls_away(statement: str, expected: str) -> None:
    node = ast.parse(statement).body[0]
    assert statement_text(statement, node, row_choice_edits(node, lambda name: False)) == expected


def test_a_mask_by_name_is_known_from_its_binding() -> None:
    node = ast.parse("train = df[is_train]").body[0]
    edits = row_choice_edits(node, lambda one: isinstance(one, ast.Name) and one.id == "is_train")
    assert statement_text("train = df[is_train]", node, edits) == "train = df"


def test_rows_removed_in_place() -> None:
    assert is_row_removal(ast.parse("df.dropna(inplace=True)").body[0])
    assert is_row_removal(ast.parse("df.drop(df[df.a > 3].index, inplace=True)").body[0])
    assert not is_row_removal(ast.parse("df.drop(columns=['a'], inplace=True)").body[0])
    assert not is_row_removal(ast.parse("df.fillna(0, inplace=True)").body[0])


def test_both_halves_of_a_split_are_their_source() -> None:
    node = ast.parse("X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2)").body[0]
    aliases = split_sources(node)
    assert aliases is not None
    assert [(a.target, ast.unparse(a.source)) for a in aliases] == [
        ("X_train", "X"), ("X_test", "X"), ("y_train", "y"), ("y_test", "y"),
    ]  # fmt: skip
    assert split_sources(ast.parse("a, b = other(X)").body[0]) is None
