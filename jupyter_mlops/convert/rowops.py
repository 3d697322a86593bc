"""Operations of training code that choose rows: in serving every row stays, so they fall away.

`without_row_choice` takes a statement of the notebook and gives the edits that remove `dropna`, filters, sampling,
sorting and the train/test split from it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from jupyter_mlops.convert.edits import Edit

__all__ = ["RESAMPLERS", "SPLITTERS", "Alias", "is_mask", "is_row_removal", "row_choice_edits", "split_sources"]

SPLITTERS = frozenset({"train_test_split"})
# What draws rows anew, or makes some up: in training only.
RESAMPLERS = frozenset({"fit_resample", "fit_sample", "resample", "shuffle"})
_ROW_METHODS = frozenset(
    {"dropna", "drop_duplicates", "sample", "query", "head", "tail", "sort_values", "sort_index", "nlargest", "nsmallest",
     "reset_index"}
)  # fmt: skip
_MASK_METHODS = frozenset(
    {"isin", "notna", "isna", "notnull", "isnull", "between", "duplicated", "contains", "startswith", "endswith", "match",
     "eq", "ne", "gt", "ge", "lt", "le", "any", "all"}
)  # fmt: skip

MaskTest = Callable[[ast.expr], bool]


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in call.keywords if k.arg == name), None)


def _constant(node: ast.expr | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def is_mask(node: ast.expr, names: MaskTest = lambda node: False) -> bool:
    """True for an expression that selects rows by a condition."""
    match node:
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Invert()):
            return True
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr() | ast.BitXor()):
            return True
        case ast.Call(func=ast.Attribute(attr=attr)):
            return attr in _MASK_METHODS
        case ast.Name():
            return names(node)
    return False


def _is_row_call(call: ast.Call) -> bool:
    """A method call that only drops, samples or orders rows of its receiver."""
    if not isinstance(call.func, ast.Attribute):
        return False
    name = call.func.attr
    axis = _constant(_keyword(call, "axis"))
    if name == "drop":
        if _keyword(call, "index") is not None and _keyword(call, "columns") is None:
            return True
        by_column = axis in (1, "columns") or _keyword(call, "columns") is not None
        by_column = by_column or (len(call.args) > 1 and _constant(call.args[1]) in (1, "columns"))
        if by_column or not call.args:
            return False
        return any(isinstance(n, ast.Attribute) and n.attr == "index" for n in ast.walk(call.args[0]))
    if name not in _ROW_METHODS:
        return False
    if name == "dropna" and (axis in (1, "columns") or (call.args and _constant(call.args[0]) in (1, "columns"))):
        return False
    if name == "reset_index":
        return _constant(_keyword(call, "drop")) is True
    return True


def is_row_removal(node: ast.stmt) -> bool:
    """A whole statement that only drops rows in place: ``df.dropna(inplace=True)``."""
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return False
    return _is_row_call(node.value) and _constant(_keyword(node.value, "inplace")) is True


def row_choice_edits(node: ast.AST, names: MaskTest, is_rows: MaskTest | None = None) -> list[Edit]:
    """Edits that make a statement keep every row.

    Parameters
    ----------
    is_rows
        Whether an expression was seen to have one row for each row: a choice of anything else stays.
    """
    edits: list[Edit] = []

    def of_rows(receiver: ast.expr) -> bool:
        return is_rows is None or is_rows(receiver)

    def visit(one: ast.AST) -> None:
        match one:
            case ast.Call(func=ast.Attribute(value=receiver)) if _is_row_call(one) and of_rows(receiver):
                edits.append(_cut(receiver, one))
                visit(receiver)
                return
            case ast.Subscript(value=ast.Attribute(value=receiver, attr="loc"), slice=ast.Tuple(elts=[rows, _]), ctx=ast.Load()):
                if is_mask(rows, names) and of_rows(receiver):
                    edits.append(Edit.of(rows, ":"))
                visit(receiver)
                return
            case ast.Subscript(value=ast.Attribute(value=receiver, attr="loc"), slice=rows, ctx=ast.Load()):
                if is_mask(rows, names) and of_rows(receiver):
                    edits.append(_cut(receiver, one))
                visit(receiver)
                return
            case ast.Subscript(value=ast.Attribute(value=receiver, attr="iloc"), slice=ast.Slice(), ctx=ast.Load()) if of_rows(
                receiver
            ):
                edits.append(_cut(receiver, one))
                visit(receiver)
                return
            case ast.Subscript(value=receiver, slice=ast.Slice(), ctx=ast.Load()) if isinstance(receiver, ast.Name) and of_rows(
                receiver
            ):
                edits.append(_cut(receiver, one))
                return
            case ast.Subscript(value=receiver, slice=rows, ctx=ast.Load()) if is_mask(rows, names) and of_rows(receiver):
                edits.append(_cut(receiver, one))
                visit(receiver)
                return
        for child in ast.iter_child_nodes(one):
            visit(child)

    visit(node)
    return edits


def _cut(receiver: ast.expr, whole: ast.expr) -> Edit:
    """Keep the receiver of an expression, drop what follows it."""
    assert receiver.end_lineno is not None and receiver.end_col_offset is not None
    assert whole.end_lineno is not None and whole.end_col_offset is not None
    return Edit(receiver.end_lineno, receiver.end_col_offset, whole.end_lineno, whole.end_col_offset, "")


@dataclass(frozen=True)
class Alias:
    """In serving, `target` is what `source` is."""

    target: str
    source: ast.expr


def split_sources(node: ast.stmt) -> list[Alias] | None:
    """``A, B, c, d = train_test_split(X, y)``: both halves are their source; ``X2, y2 = smote.fit_resample(X, y)`` is its own.

    None for any other statement.
    """
    if not (isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.value, ast.Call)):
        return None
    func = node.value.func
    name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    target = node.targets[0]
    if name in RESAMPLERS:
        chosen = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
        given = [*node.value.args, *(k.value for k in node.value.keywords if k.arg in {"X", "y"})]
        pairs = zip(chosen, given, strict=False)
        return [Alias(t.id, source) for t, source in pairs if isinstance(t, ast.Name)] if len(chosen) <= len(given) else None
    if name not in SPLITTERS or not isinstance(target, (ast.Tuple, ast.List)):
        return None
    targets, sources = target.elts, node.value.args
    if len(targets) != 2 * len(sources):
        return None
    return [Alias(target.id, sources[position // 2]) for position, target in enumerate(targets) if isinstance(target, ast.Name)]
