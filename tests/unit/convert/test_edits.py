"""Verbatim statements with small edits."""

from __future__ import annotations

import ast

from jupyter_mlops.convert.edits import Edit, indent, statement_text


def test_trailing_comment_and_layout_stay() -> None:
    code = "a = 1\nb = (a +\n     2)   # why\nc = 3"
    assert statement_text(code, ast.parse(code).body[1]) == "b = (a +\n     2)   # why"


def test_decorators_belong_to_the_function() -> None:
    code = "@cache\n@other(1)\ndef f(x):\n    return x"
    assert statement_text(code, ast.parse(code).body[0]) == code


def test_edits_count_bytes_as_ast_does() -> None:
    code = "s = 'é' + name + 'ü' + name"
    tree = ast.parse(code)
    edits = [Edit.of(n, "settings.name") for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "name"]
    assert statement_text(code, tree.body[0], edits) == "s = 'é' + settings.name + 'ü' + settings.name"


def test_of_overlapping_edits_the_outer_one_wins() -> None:
    code = "f(g(x))"
    call = ast.parse(code).body[0]
    assert isinstance(call, ast.Expr) and isinstance(call.value, ast.Call)
    inner = call.value.args[0]
    assert isinstance(inner, ast.Call)
    assert statement_text(code, call, [Edit.of(inner.args[0], "y"), Edit.of(inner, "z")]) == "f(z)"


def test_inside_of_strings_nothing_is_indented() -> None:
    text = 'x = """first\nsecond"""\nif x:\n    y = 1'
    assert indent(text) == '    x = """first\nsecond"""\n    if x:\n        y = 1'


def test_an_insertion_stands_in_front_of_the_edit_that_begins_there() -> None:
    code = "df = pd.get_dummies(X[a])"
    node = ast.parse(code).body[0]
    assert isinstance(node, ast.Assign)
    call = node.value
    assert isinstance(call, ast.Call)
    rows = call.args[0]
    inside = Edit.of(rows, "state.rows")
    before = Edit(rows.lineno, rows.col_offset, rows.lineno, rows.col_offset, "with_levels(")
    assert (
        statement_text(code, node, [inside, before, Edit.after(rows, ", levels)")])
        == "df = pd.get_dummies(with_levels(state.rows, levels))"
    )
