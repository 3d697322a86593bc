"""Calls that current versions of the libraries refuse, or will soon: `removals` has the tables."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_mlops.notebook.checks import removals
from jupyter_mlops.notebook.checks.context import Call, Context, constant, last_name
from jupyter_mlops.notebook.checks.registry import Edit, Finding, rule
from jupyter_mlops.notebook.checks.removals import Gone
from jupyter_mlops.notebook.dataflow import Statement

_IN_PLACE = frozenset("fillna replace clip ffill bfill interpolate mask where".split())
_PACKAGES_OF = {"hist": ("", "matplotlib", "pylab"), "concat": ("pandas",), "histogram": ("numpy",)}


def _said(what: str, gone: Gone, *, ends: bool) -> tuple[str, str | None]:
    verb = f"does not exist any more (since {gone.since})" if ends else f"is deprecated (since {gone.since}) and will go"
    return f"{what} {verb}.", (f"Use {gone.use.replace('{np}.', '')}." if gone.use else None)


@rule(
    "removed-call",
    "error",
    "A function, argument or value does not exist any more in current versions: the cell fails.",
    bad="import numpy as np\nx = np.array([1, 2]).astype(np.float)",
    good="import numpy as np\nx = np.array([1, 2]).astype(np.float64)",
    mends=True,
)
def removed_call(context: Context) -> Iterator[Finding]:
    """Names are taken by where they are imported from, methods only where no other library has one of that name."""
    yield from _modules(context)
    yield from _names(context, removals.NAMES, ends=True)
    yield from _methods(context, removals.METHODS, ends=True)
    yield from _attributes(context)
    yield from _arguments(context, removals.ARGUMENTS, ends=True)
    yield from _values(context)
    yield from _fit_arguments(context)
    yield from _appends(context)
    yield from _styles(context)


@rule(
    "deprecated-call",
    "warning",
    "A function or argument still works, but its library says that it will go.",
    bad="import pandas as pd\ndf = pd.read_csv('data.csv').fillna(method='ffill')",
    good="import pandas as pd\ndf = pd.read_csv('data.csv').ffill()",
    mends=True,
)
def deprecated_call(context: Context) -> Iterator[Finding]:
    """By the same tables."""
    yield from _names(context, removals.DEPRECATED_NAMES, ends=False)
    yield from _methods(context, removals.DEPRECATED_METHODS, ends=False)
    yield from _arguments(context, removals.DEPRECATED_ARGUMENTS, ends=False)


def _modules(context: Context) -> Iterator[Finding]:
    for statement, node in context.nodes:
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            gone = _gone_module(node.module)
            if gone is not None:
                edits = (
                    _in_line(context, statement.cell, node, node.module, gone.use)
                    if gone.renamed and node.module in removals.MODULES
                    else ()
                )
                message, fix = _said(f"The module {node.module}", gone, ends=True)
                yield Finding(statement.cell, node.lineno, message, fix, edits)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                gone = _gone_module(alias.name)
                if gone is not None:
                    message, fix = _said(f"The module {alias.name}", gone, ends=True)
                    yield Finding(statement.cell, node.lineno, message, fix)


def _gone_module(name: str) -> Gone | None:
    """What is known of a module, or of the package that it stood in."""
    while name:
        if name in removals.MODULES:
            return removals.MODULES[name]
        name = name.rpartition(".")[0]
    return None


def _in_line(context: Context, cell: int, node: ast.stmt, old: str, new: str) -> tuple[Edit, ...]:
    line = context.cells[cell].code.split("\n")[node.lineno - 1]
    start = line.encode().find(old.encode(), node.col_offset)
    if start < 0:
        return ()
    return context.span(cell, node.lineno, start, node.lineno, start + len(old.encode()), new)


def _names(context: Context, table: dict[str, Gone], *, ends: bool) -> Iterator[Finding]:
    for statement, node in context.nodes:
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                gone = table.get(f"{node.module}.{alias.name}")
                if gone is not None:
                    message, fix = _said(f"{node.module}.{alias.name}", gone, ends=ends)
                    mends = alias.name == "joblib" and len(node.names) == 1 and alias.asname is None
                    yield Finding(
                        statement.cell, node.lineno, message, fix,
                        context.replace(statement.cell, node, "import joblib") if mends else (),
                    )  # fmt: skip
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            origin = context.origin(node)
            gone = table.get(origin)
            if gone is not None:
                message, fix = _said(origin, gone, ends=ends)
                new = gone.use.replace("{np}", ast.unparse(node.value))
                yield Finding(
                    statement.cell, node.lineno, message, fix,
                    context.replace(statement.cell, node, new) if gone.renamed else (),
                )  # fmt: skip


def _methods(context: Context, table: dict[str, Gone], *, ends: bool) -> Iterator[Finding]:
    defined = {node.name for _, node in context.nodes if isinstance(node, ast.FunctionDef)}
    for call in context.calls:
        gone = table.get(call.name)
        if (
            gone is None
            or not call.origin.startswith(".")
            or call.name in defined
            or not isinstance(call.node.func, ast.Attribute)
        ):
            continue
        message, fix = _said(f".{call.name}()", gone, ends=ends)
        edits = _attribute(context, call.statement.cell, call.node.func, gone.use) if gone.renamed else ()
        yield Finding(call.statement.cell, call.node.func.end_lineno, message, fix, edits)


def _attribute(context: Context, cell: int, node: ast.Attribute, new: str) -> tuple[Edit, ...]:
    line, end = node.end_lineno or 0, node.end_col_offset or 0
    return context.span(cell, line, end - len(node.attr.encode()), line, end, new)


def _attributes(context: Context) -> Iterator[Finding]:
    for statement, node in context.nodes:
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "ix":
            message, fix = _said(".ix[...]", removals.ATTRIBUTES["ix"], ends=True)
            yield Finding(statement.cell, node.lineno, message, fix)


def _arguments(context: Context, table: dict[tuple[str, str], Gone], *, ends: bool) -> Iterator[Finding]:
    for call in context.calls:
        if call.name in context.functions or not _may_be(call):
            continue
        for keyword in call.node.keywords:
            gone = table.get((call.name, keyword.arg or ""))
            if gone is None or (
                call.name == "fillna" and constant(keyword.value) is None and isinstance(keyword.value, ast.Constant)
            ):
                continue
            if (call.name, keyword.arg, constant(keyword.value)) in removals.VALUES:
                continue
            message, fix = _said(f"The argument {keyword.arg} of {call.name}", gone, ends=ends)
            edits: tuple[Edit, ...] = ()
            if gone.renamed and keyword.arg:
                end = keyword.col_offset + len(keyword.arg)
                edits = context.span(call.statement.cell, keyword.lineno, keyword.col_offset, keyword.lineno, end, gone.use)
            yield Finding(call.statement.cell, keyword.lineno, message, fix, edits)


def _may_be(call: Call) -> bool:
    """Whether the name may be the one that is meant: other packages have an OneHotEncoder or a `hist` of their own."""
    package = call.origin.partition(".")[0]
    wanted = _PACKAGES_OF.get(call.name)
    if wanted is not None:
        return package in wanted
    known = ("", "sklearn", "pandas", "seaborn", "imblearn", "lightgbm", "xgboost", "matplotlib", call.name)
    return package in known


def _values(context: Context) -> Iterator[Finding]:
    for call in context.calls:
        for keyword in call.node.keywords:
            value = constant(keyword.value)
            if not isinstance(value, str) or not _may_be(call):
                continue
            gone = removals.VALUES.get((call.name, keyword.arg or "", value))
            if gone is not None:
                message, fix = _said(f"{keyword.arg}={value!r} of {call.name}", gone, ends=True)
                edits = context.replace(call.statement.cell, keyword.value, gone.use)
                yield Finding(call.statement.cell, keyword.value.lineno, message, fix, edits)


def _fit_arguments(context: Context) -> Iterator[Finding]:
    seen: set[int] = set()
    for event in context.events:
        if event.kind != "fit" or not isinstance(event.node, ast.Call) or id(event.node) in seen:
            continue
        for keyword in event.node.keywords:
            gone = removals.FIT_ARGUMENTS.get((event.name, keyword.arg or ""))
            if gone is not None:
                seen.add(id(event.node))
                message, fix = _said(f"The argument {keyword.arg} of {event.name}.fit", gone, ends=True)
                yield Finding(event.cell, keyword.lineno, message, fix)


def _appends(context: Context) -> Iterator[Finding]:
    """The ``append`` of a list gives nothing back; one whose result is used is that of a frame."""
    for statement, node in context.nodes:
        match node:
            case ast.Assign(value=ast.Call(func=ast.Attribute(attr="append", value=owner)) as call):
                known = context.origin(call.func)
                if known == ".append" and isinstance(owner, (ast.Name, ast.Subscript, ast.Attribute, ast.Call)):
                    yield Finding(
                        statement.cell,
                        call.lineno,
                        "DataFrame.append and Series.append do not exist any more (since pandas 2.0).",
                        "Use pandas.concat([a, b]).",
                    )


def _styles(context: Context) -> Iterator[Finding]:
    for call in context.calls:
        style = constant(call.node.args[0]) if call.node.args else None
        if call.origin != "matplotlib.pyplot.style.use" or not isinstance(style, str):
            continue
        if style.startswith("seaborn") and not style.startswith("seaborn-v0_8"):
            new = style.replace("seaborn", "seaborn-v0_8", 1)
            edits = context.replace(call.statement.cell, call.node.args[0], repr(new))
            yield Finding(
                call.statement.cell, call.node.lineno,
                f"The style {style!r} does not exist any more (since matplotlib 3.8).", f"Use {new!r}.", edits,
            )  # fmt: skip


@rule(
    "positional-plot-data",
    "error",
    "Columns are handed to seaborn by position: since 0.12 that fails, or draws something else.",
    bad="import seaborn as sns\nimport pandas as pd\ndf = pd.read_csv('data.csv')\nsns.countplot('city', data=df)",
    good="import seaborn as sns\nimport pandas as pd\ndf = pd.read_csv('data.csv')\nsns.countplot(x='city', data=df)",
    mends=True,
)
def positional_plot_data(context: Context) -> Iterator[Finding]:
    """One positional argument is the data; more of them, or one beside ``data=``, raises TypeError."""
    for call in context.calls:
        names = removals.SEABORN.get(call.name)
        given = call.node.args
        if names is None or not call.origin.startswith("seaborn.") or any(isinstance(one, ast.Starred) for one in given):
            continue
        keywords = {k.arg for k in call.node.keywords}
        if len(given) < 2 and not (given and "data" in keywords):
            continue
        edits: tuple[Edit, ...] = ()
        free = len(given) <= len(names) and not keywords & set(names[: len(given)])
        if free:
            for one, name in zip(given, names, strict=False):
                edits += context.span(call.statement.cell, one.lineno, one.col_offset, one.lineno, one.col_offset, f"{name}=")
        yield Finding(
            call.statement.cell,
            call.node.lineno,
            f"{call.name} takes only data by position (since seaborn 0.12): this call raises TypeError.",
            "Name the arguments (" + ", ".join(f"{name}=" for name in names[: max(len(given), 1)]) + ").",
            edits if free else (),
        )


@rule(
    "chained-assignment",
    "warning",
    "A column of a frame is changed in place through a copy: with pandas 3 nothing happens.",
    bad="import pandas as pd\ndf = pd.read_csv('data.csv')\ndf['age'].fillna(0, inplace=True)",
    good="import pandas as pd\ndf = pd.read_csv('data.csv')\ndf['age'] = df['age'].fillna(0)\ndf.fillna(0, inplace=True)",
    mends=True,
)
def chained_assignment(context: Context) -> Iterator[Finding]:
    """Only on names that are known to hold rows."""
    for statement, node in context.nodes:
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr=method, value=owner)) as call) if method in _IN_PLACE:
                in_place = next((k for k in call.keywords if k.arg == "inplace" and constant(k.value) is True), None)
                column = _column(context, owner)
                if in_place is None or not column:
                    continue
                yield Finding(
                    statement.cell,
                    node.lineno,
                    f"{method}(inplace=True) changes a column that was taken out: with pandas 3 the frame stays as it is.",
                    f"Assign the result: {column} = {column}.{method}(...).",
                    _assigned(context, statement, node, call, in_place, column) if isinstance(owner, ast.Subscript) else (),
                )
            case (
                ast.Assign(targets=[ast.Subscript(value=owner, slice=index)])
                | ast.AugAssign(target=ast.Subscript(value=owner, slice=index))
            ):
                inner = owner.value if isinstance(owner, ast.Attribute) and owner.attr in ("loc", "iloc") else owner
                if isinstance(inner, ast.Name) or (isinstance(constant(index), str) and not _is_mask(inner)):
                    continue
                if (_column(context, inner) and isinstance(inner, ast.Subscript)) or (
                    _is_mask(inner) and _holds_rows(context, inner)
                ):
                    yield Finding(
                        statement.cell,
                        node.lineno,
                        "A value is stored in what an index of the frame gave: with pandas 3 the frame stays as it is.",
                        "Use one index: df.loc[rows, column] = value.",
                    )


def _column(context: Context, owner: ast.expr) -> str:
    """The text of ``df['a']`` or ``df.a`` when `df` holds rows."""
    if isinstance(owner, ast.Subscript) and isinstance(owner.value, ast.Name) and isinstance(constant(owner.slice), str):
        return ast.unparse(owner) if _holds_rows(context, owner) else ""
    if (
        isinstance(owner, ast.Attribute)
        and isinstance(owner.value, ast.Name)
        and owner.attr not in ("loc", "iloc", "str", "columns", "data", "frame", "target")
    ):
        return ast.unparse(owner) if _holds_rows(context, owner) else ""
    return ""


def _is_mask(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Subscript) and isinstance(node.slice, (ast.Compare, ast.BinOp)) and isinstance(node.value, ast.Name)
    )


def _holds_rows(context: Context, node: ast.expr) -> bool:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    name = last_name(node)
    value = context.followed.scope.get(name)
    return bool(value.rows) and value.items is None and name not in context.imports


def _assigned(
    context: Context, statement: Statement, node: ast.AST, call: ast.Call, in_place: ast.keyword, column: str
) -> tuple[Edit, ...]:
    """``df['a'].fillna(0, inplace=True)`` -> ``df['a'] = df['a'].fillna(0)``."""
    cell = statement.cell
    given: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    given.sort(key=lambda one: (one.lineno, one.col_offset))
    position = given.index(in_place)
    end_line, end = in_place.end_lineno or 0, in_place.end_col_offset or 0
    if position:
        before = given[position - 1]
        start_line, start = before.end_lineno or 0, before.end_col_offset or 0
    elif len(given) > 1:
        start_line, start = in_place.lineno, in_place.col_offset
        end_line, end = given[1].lineno, given[1].col_offset
    else:
        start_line, start = in_place.lineno, in_place.col_offset
    removed = context.span(cell, start_line, start, end_line, end, "")
    # A parenthesis between would be lost.
    if removed and ")" in _between(context, removed[0]).replace("()", ""):
        return ()
    assigned = context.span(cell, call.lineno, call.col_offset, call.lineno, call.col_offset, f"{column} = ")
    return assigned + removed if removed and assigned else ()


def _between(context: Context, edit: Edit) -> str:
    lines = context.cells[edit.cell].code.split("\n")[edit.line - 1 : edit.end_line]
    text = "\n".join(lines)
    tail = len(lines[-1]) - edit.end_column
    return text[edit.column : len(text) - tail]
