"""The feature program: what of the notebook turns a raw row into the model's input.

The slice from the raw table to the rows that the notebook's model was asked about is taken as it stands, without the
operations that choose rows, and without the columns that the model does not get (the target among them). The result is
the source of `build_features`. That it is right is not assumed here: the proof compares it with the notebook's own
model input, row by row.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jupyter_mlops.convert.edits import Edit, indent, statement_text
from jupyter_mlops.convert.lifting.lift import Lifter
from jupyter_mlops.convert.lifting.program import Lift, lessons, lifter_for, twins, used_entries
from jupyter_mlops.convert.lifting.prune import pruned
from jupyter_mlops.convert.names import Names, Rewriter, literal
from jupyter_mlops.convert.plan import FeatureProgram
from jupyter_mlops.convert.rowops import is_mask, is_row_removal, row_choice_edits, split_sources
from jupyter_mlops.convert.scopes import global_names
from jupyter_mlops.convert.sharing import SharedRun, share
from jupyter_mlops.notebook.cells import Stage
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["engineered_program", "feature_program", "serving_path"]

_NOT_COLUMNS = frozenset({"columns", "shape", "index", "values", "dtypes", "T", "size", "empty", "loc", "iloc", "str", "dt"})


@dataclass(frozen=True)
class _Item:
    """One statement of the serving path."""

    cell: int
    node: ast.stmt
    text: str
    binds: frozenset[str]
    touches: frozenset[str]  # bound or changed in place
    verbatim: int | None = None  # the statement, where its text is that of the training code
    reads: frozenset[str] | None = None  # whose values from before it reads; None: all that it names


class _Demand:
    """Columns that are still needed of each variable, going backwards; None stands for all of them."""

    def __init__(self) -> None:
        self.of: dict[str, set[str] | None] = {}

    def add(self, name: str, columns: set[str] | None) -> None:
        if columns is None or self.of.get(name, set()) is None:
            self.of[name] = None
        else:
            self.of[name] = (self.of.get(name) or set()) | columns

    def merge(self, other: Mapping[str, set[str] | None]) -> None:
        for name, columns in other.items():
            self.add(name, columns)


def _column_list(node: ast.expr, constants: Mapping[str, Any]) -> list[str] | None:
    """Column names that a subscript selects, where the syntax and the constants tell them."""
    value = literal(node, constants)
    if isinstance(value, str):
        return [value]
    if isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value):
        return list(value)
    return None


def _demands(node: ast.AST, variables: frozenset[str], constants: Mapping[str, Any]) -> dict[str, set[str] | None]:
    """Columns of each variable that an expression or statement reads."""
    demand = _Demand()
    variables = variables & {n.id for n in global_names(node)}  # not the arguments of its lambdas

    def visit(one: ast.AST) -> None:
        match one:
            case ast.Subscript(value=ast.Name(id=name), slice=key) if name in variables:
                columns = _column_list(key, constants)
                demand.add(name, None if columns is None else set(columns))
                if columns is None:
                    visit(key)
                return
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if name in variables and attr not in _NOT_COLUMNS:
                demand.add(name, {attr})
                return
            case ast.Name(id=name, ctx=ast.Load()) if name in variables:
                demand.add(name, None)
                return
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="copy"), args=[]) if name in variables:
                demand.add(name, None)
                return
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name))) if name in variables:
                demand.add(name, None)  # a method of the frame may read any column
                for given in (*one.args, *(k.value for k in one.keywords)):
                    visit(given)
                return
        for child in ast.iter_child_nodes(one):
            visit(child)

    visit(node)
    return demand.of


def _plain_source(value: ast.expr) -> str | None:
    """The variable that an expression passes on with all rows and the columns asked for: ``df``, ``df.copy()``,
    ``df.drop(columns=...)``."""
    match value:
        case ast.Name(id=name):
            return name
        case ast.Call(func=ast.Attribute(value=inner, attr="copy" | "drop")):
            return _plain_source(inner)
    return None


def _alias_source(node: ast.stmt) -> str | None:
    """The other name in ``a = b`` and ``a = b.copy()``."""
    match node:
        case ast.Assign(targets=[ast.Name()], value=ast.Name(id=name)):
            return name
        case ast.Assign(targets=[ast.Name()], value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="copy"), args=[])):
            return name
    return None


def _pairs(node: ast.stmt) -> list[tuple[str, ast.expr]] | None:
    """``X_test, y_test = X, y`` as single assignments, where none of them reads what another one binds."""
    match node:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
            if not all(isinstance(t, ast.Name) for t in targets):
                return None
            bound = [t.id for t in targets if isinstance(t, ast.Name)]
            read = {n.id for v in values for n in ast.walk(v) if isinstance(n, ast.Name)}
            return None if read & set(bound) else list(zip(bound, values, strict=True))
    return None


class _Builder:
    def __init__(self, analysis: Analysis, names: Names, rewriter: Rewriter, lifter: Lifter | None) -> None:
        self.analysis, self.names, self.rewriter, self.lifter = analysis, names, rewriter, lifter
        self.masks: set[str] = set()

    def _is_mask_name(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in self.masks

    def _edits(self, node: ast.stmt) -> list[Edit]:
        """Edits that keep every row, replay what was learned, and name settings."""
        lifted = [] if self.lifter is None else self.lifter.edits(node)
        is_rows = None if self.lifter is None else self.lifter.is_rows
        return row_choice_edits(node, self._is_mask_name, is_rows) + lifted + self.rewriter.edits(node)

    def expression(self, statement: int, node: ast.expr) -> ast.expr:
        """An expression of a statement, such as the rows that a model is asked about, with the same edits."""
        s = self.analysis.statements[statement]
        wrapped = ast.copy_location(ast.Expr(node), node)
        text = statement_text(self.analysis.notebook.cells[s.cell - 1].code, wrapped, self._edits(wrapped))
        return ast.parse(f"({text.strip()}\n)", mode="eval").body

    def items(self, wanted: list[int]) -> list[_Item]:
        """Statements of the path, without row choice."""
        out: list[_Item] = []
        for index in wanted:
            s = self.analysis.statements[index]
            code = self.analysis.notebook.cells[s.cell - 1].code
            node = s.node
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and is_mask(node.value, self._is_mask_name):
                self.masks.add(node.targets[0].id)
            aliases = split_sources(node)
            if aliases is not None:
                for alias in aliases:
                    source = self.expression(index, alias.source)
                    text = f"{alias.target} = {ast.unparse(source)}"
                    one = ast.parse(text).body[0]
                    out.append(_Item(s.cell, one, text, frozenset({alias.target}), frozenset({alias.target})))
                continue
            if is_row_removal(node):
                continue
            text = statement_text(code, node, self._edits(node))
            try:
                node = ast.parse(text).body[0]
            except SyntaxError:
                text = statement_text(code, node, self.rewriter.edits(node))
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == ast.unparse(node.value):
                continue  # df = df, once its row filter is gone
            if (pairs := _pairs(node)) is not None:
                for target, value in pairs:
                    text = f"{target} = {ast.unparse(value)}"
                    out.append(_Item(s.cell, ast.parse(text).body[0], text, frozenset({target}), frozenset({target})))
                continue
            comments = s.comments.strip("\n")
            whole = f"{comments}\n{text}" if comments else text
            verbatim = index if whole == self.rewriter.text(s) and not isinstance(_alias_source(node), str) else None
            out.append(_Item(s.cell, node, whole, s.binds, s.binds | s.mutates, verbatim, s.uses | s.mutates))
        return out

    def live(
        self, items: list[_Item], result: ast.expr, columns: Sequence[str] | None, *, thrifty: bool
    ) -> tuple[list[_Item], dict[str, set[str] | None]]:
        """Backwards: the items that the result needs, and what is needed at their entry."""
        variables = frozenset(n for i in items for n in i.touches) | {
            n.id for n in ast.walk(result) if isinstance(n, ast.Name) and self.names.is_variable(n.id)
        } | {n.id for i in items for n in global_names(i.node) if self.names.is_variable(n.id)}  # fmt: skip
        constants = self.names.constant_names
        demand = _Demand()
        if isinstance(result, ast.Name):
            demand.add(result.id, None if columns is None else set(columns))
        else:
            demand.merge(_demands(result, variables, constants))
        kept: list[_Item] = []
        for item in reversed(items):
            live = item.touches & demand.of.keys()
            if not live:
                continue
            if (rest := pruned(item.node, set(demand.of))) is not item.node:
                item = replace(item, node=rest, text=ast.unparse(ast.fix_missing_locations(rest)), verbatim=None)
            match item.node:
                case ast.Assign(
                    targets=[ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(column)))], value=value
                ):
                    needed = demand.of.get(name)
                    if thrifty and needed is not None and column not in needed:
                        continue
                    if needed is not None:
                        needed.discard(column)
                    demand.merge(_demands(value, variables, constants))
                    demand.add(name, set())
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if (source := _plain_source(value)) is not None:
                    needed = demand.of.pop(name, set())  # another name of the statement may be the one that is needed
                    demand.add(source, needed)
                    if thrifty and needed is not None and not isinstance(value, ast.Name):
                        # Dropped columns are not among those needed: the drop changes nothing.
                        copies = any(isinstance(n, ast.Attribute) and n.attr == "copy" for n in ast.walk(value))
                        text = f"{name} = {source}.copy()" if copies and name != source else f"{name} = {source}"
                        if name == source:
                            continue
                        item = _Item(item.cell, ast.parse(text).body[0], text, item.binds, item.touches)
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="drop"))) if (
                    thrifty and demand.of.get(name) is not None
                ):
                    continue  # drop in place of columns that nobody needs
                case ast.Delete() if thrifty:
                    continue
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    needed = demand.of.pop(name, set())
                    asked = _demands(value, variables, constants)
                    if thrifty and needed is not None:
                        asked = {v: (needed if c is None and v == name else c) for v, c in asked.items()}
                    if thrifty:  # `y = df.pop("target")`: what is needed of the table stays what it was
                        asked = {
                            v: c
                            for v, c in asked.items()
                            if c is not None or v == name or v not in item.touches or v not in demand.of
                        }
                    demand.merge(asked)
                case _:
                    asked = _demands(item.node, variables, constants)
                    if item.reads is not None:  # not the variables of its own loops
                        asked = {name: c for name, c in asked.items() if name in item.reads}
                    for name in live & item.binds - asked.keys():
                        demand.of.pop(name, None)
                    for name, columns_asked in asked.items():
                        if thrifty and columns_asked is None and demand.of.get(name) is not None:
                            continue  # changed in place: what is needed of it stays what it was
                        demand.add(name, columns_asked)
            kept.append(item)
        return kept[::-1], demand.of


def feature_program(
    analysis: Analysis,
    names: Names,
    rewriter: Rewriter,
    *,
    raw_name: str,
    asked_at: int,
    argument: ast.expr,
    columns: Sequence[str] | None,
    thrifty: bool = True,
    rest: Sequence[int] = (),
    lift: Lift | None = None,
    complete: Sequence[tuple[str, str | None]] = (),
) -> tuple[FeatureProgram, SharedRun | None] | None:
    """Source of `build_features` for the rows in `argument` of statement `asked_at`.

    Parameters
    ----------
    raw_name
        Variable that holds the raw table after the last `load` cell.
    columns
        Columns of the model's input as the notebook's run had them, in order; None when it is no frame or unknown.
    thrifty
        Leave out what only makes columns that the model does not get. False keeps everything, for notebooks where
        that leaves out too much.
    rest
        Statements of all stages, in order: what the program shares with them becomes a function of its own.
    lift
        What was seen of the preparation while the notebook ran: learned values become state. None without a run.
    complete
        A request lacks columns that the code names (the target): all columns of the raw table in its order, with the
        source text of what stands for those that a request does not bring.

    Returns
    -------
    (FeatureProgram, SharedRun or None) or None
        None when the path needs a variable that a raw row does not give (fitted state, say).
    """
    after = None if lift is None else lift.after
    path = [i for i in serving_path(analysis, asked_at, argument, after) if i not in _set_apart(names)]
    asked, preferred = argument, None
    while True:
        lifter = None if lift is None else lifter_for(analysis, lift, path, asked, raw_name, names, preferred)
        serving = rewriter if lifter is None else lifter.rewriter(rewriter)
        builder = _Builder(analysis, names, serving, lifter)
        items = builder.items(path)
        argument = asked if lifter is None else builder.expression(asked_at, asked)
        columns = columns if columns is not None else _static_columns(items, argument, names.constant_names)
        numbered = lift is not None and lift.numbered
        kept, entry = builder.live(items, argument, None if numbered else columns, thrifty=thrifty)
        texts = [item.text for item in kept] + [ast.unparse(argument)]
        more = [] if lifter is None else twins(lifter, serving, texts)
        entries = () if lifter is None else used_entries(lifter, [*texts, *more])
        if lifter is None or preferred is not None:
            break
        preferred = lifter.sites_of(entries)  # once more, now that it is known which values get a name at all
    known = {raw_name} | ({lifter.variable} if lifter is not None else set())
    if lift is not None and lifter is not None:
        lift.problems += lifter.problems + lifter.suspects
    if missing := {n for n in entry if names.is_variable(n) and analysis.defined_by(n)} - known:
        if lift is not None:
            lift.problems += _missing(analysis, missing, kept)
        return None
    cells = tuple(dict.fromkeys(item.cell for item in kept))
    result: ast.expr = argument
    state = lifter.variable if lifter is not None and entries else None
    renamed = {} if lift is None else lift.renamed.get(raw_name, {})
    row_local = not (state or more or complete or renamed or numbered)  # nothing but the author's own statements
    selection = None if not row_local else _selection(kept, result, raw_name, columns, names)
    if selection is not None:
        source = _function([f"return raw[{selection}]"], cells, "raw", columns)
        return FeatureProgram(source, True, tuple(columns or ()), cells, "raw"), None
    if columns is not None:
        kept, result = _without_selection(kept, result, names)
    shared = None if columns is None or not row_local else _shared(analysis, names, rest, kept, result, raw_name, columns)
    if shared is not None:
        run, source = shared
        return FeatureProgram(source, False, None if columns is None else tuple(columns), cells, "raw", shared=True), run
    entry_name = raw_name
    if kept and _alias_source(kept[0].node) == raw_name and not _reads(raw_name, [i.node for i in kept[1:]] + [result]):
        (entry_name,) = kept[0].binds
        kept = kept[1:]
    while kept and isinstance(result, ast.Name):  # `X = df["text"]` and then `return X`: return what it names
        match kept[-1].node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name() | ast.Subscript() as value) if name == result.id:
                result = value
                kept = kept[:-1]
            case _:
                break
    lines = [item.text for item in kept]
    entry_line = f"{entry_name} = complete(raw, RAW_COLUMNS)" if complete else f"{entry_name} = raw.copy()"
    if lift is not None and lift.forms.get(raw_name) == "array":
        entry_line = f"{entry_line.removesuffix('.copy()')}.to_numpy()"
    elif _numbers_rows([*lines, *more]):
        entry_line = f"{entry_line.removesuffix('.copy()')}.reset_index(drop=True)"
    if renamed:  # the notebook's table has numbers for names
        entry_line = f"{entry_line.removesuffix('.copy()')}.rename(columns={dict(renamed)!r})"
    end = ast.unparse(result)
    if columns is not None:
        end = f"{end}{'.rename(columns=str)' if numbered else ''}[MODEL_COLUMNS]"
    source = _function([entry_line, *lines, f"return {end}"], cells, "raw", columns, state=state)
    if complete:
        more.insert(0, _raw_columns(complete))
    made = FeatureProgram(
        "\n\n".join([*more, source]), False, None if columns is None else tuple(columns), cells, "raw",
        state=entries, completes=bool(complete), stateful=state is not None, variable=state or "state",
        lessons=() if lifter is None else lessons(lifter, entries),
        learners=frozenset() if lifter is None else lifter.learners,
    )  # fmt: skip
    return made, None


def serving_path(analysis: Analysis, asked_at: int, argument: ast.expr, after: int | None = None) -> list[int]:
    """Statements between the raw table and the rows that the model is asked about, in order.

    `after` is the statement behind which the table that is served from is complete; None: the load cells.
    """
    targets = [(asked_at, n.id) for n in ast.walk(argument) if isinstance(n, ast.Name)]
    outside = (Stage.LOAD, Stage.PARAMETERS, Stage.SKIP)
    path = [i for i in sorted(analysis.slice(targets)) if analysis.statements[i].stage not in outside]
    if after is None:
        return path
    return [
        i for i in path if i > after or isinstance(analysis.statements[i].node, (ast.FunctionDef, ast.Import, ast.ImportFrom))
    ]


def _raw_columns(complete: Sequence[tuple[str, str | None]]) -> str:
    listed = "\n".join(f"    {name!r}: {value}," for name, value in complete)
    return (
        "# Columns of the raw table in its order. What a request does not bring, since the model does not get it, holds a value\n"
        f"# of training while the features are made.\nRAW_COLUMNS: dict[str, Any] = {{\n{listed}\n}}\n"
    )


def _set_apart(names: Names) -> set[int]:
    return set(names.imports) | set(names.helpers) | set(names.constants)


def _missing(analysis: Analysis, missing: set[str], kept: list[_Item]) -> list[Problem]:
    """Variables that a raw row does not give: where they are read."""
    out = []
    for name in sorted(missing):
        where = next((item for item in kept if _reads(name, [item.node])), None)
        out.append(
            Problem(
                "not-lifted", "warning", f"The preparation reads {name!r}, which neither the raw row nor the state gives.",
                None if where is None else where.cell, None,
                "Compute it from the raw table, or put it into the cell tagged 'parameters'.",
            )
        )  # fmt: skip
    return out


def _numbers_rows(texts: Sequence[str]) -> bool:
    """Whether new tables are made of arrays: their rows are numbered from 0, as those of the notebook's own table were."""
    calls = [n for text in texts for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)]
    return any(ast.unparse(c.func).split(".")[-1] in ("DataFrame", "Series") for c in calls)


def _reads(name: str, nodes: Sequence[ast.AST]) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for node in nodes for n in ast.walk(node))


def _without_selection(kept: list[_Item], result: ast.expr, names: Names) -> tuple[list[_Item], ast.expr]:
    """The program without its last lines where these only rename and choose columns: MODEL_COLUMNS does that."""
    rest, current = list(kept), _unselected(result, names)
    while rest and isinstance(current, ast.Name):
        match rest[-1].node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == current.id:
                inner = _unselected(value, names)
                if not isinstance(inner, ast.Name):
                    break
                current = inner
                rest.pop()
            case _:
                break
    return (rest, current) if isinstance(current, ast.Name) else (kept, result)


def _unselected(value: ast.expr, names: Names) -> ast.expr:
    """``df`` of ``df[COLUMNS]``, ``df.drop(columns=...)``, ``df.copy()`` and chains of them."""
    while True:
        match value:
            case ast.Subscript(value=inner, slice=key) if _column_list(key, names.constant_names) is not None:
                value = inner
            case ast.Call(func=ast.Attribute(value=inner, attr="copy"), args=[], keywords=[]):
                value = inner
            case ast.Call(func=ast.Attribute(value=inner, attr="drop"), args=[], keywords=[ast.keyword(arg="columns")]):
                value = inner
            case _:
                return value


def _shared(
    analysis: Analysis,
    names: Names,
    rest: Sequence[int],
    kept: list[_Item],
    result: ast.expr,
    raw_name: str,
    columns: Sequence[str],
) -> tuple[SharedRun, str] | None:
    """The run that training and serving share, with the source of it and of `build_features` on top of it."""
    alias = raw_name
    for position, item in enumerate(kept):  # noqa: B007 - used behind the loop
        if item.verbatim is not None:
            break
        if _alias_source(item.node) != alias:
            return None
        (alias,) = item.binds
    else:
        return None
    run = [(item.verbatim, item.text) for item in kept[position:] if item.verbatim is not None]
    if len(run) != len(kept) - position or not (isinstance(result, ast.Name) and result.id == alias):
        return None
    shared = share(analysis, names, rest, run, set(names.helper_names))
    if shared is None or shared.variable != alias:
        return None
    call = shared.call.split(" = ", 1)[1].replace(f"({alias}", "(raw.copy()", 1)
    cells = tuple(dict.fromkeys(item.cell for item in kept))
    lines = [f"return {call}[MODEL_COLUMNS]"]
    return shared, shared.source + "\n\n" + _function(lines, cells, "raw", columns, settings="settings" in call)


def _static_columns(items: list[_Item], result: ast.expr, constants: Mapping[str, Any]) -> list[str] | None:
    """Columns of the model's input where the last selection names them in the code."""
    current = result
    for item in reversed(items):
        match item.node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if isinstance(current, ast.Name) and current.id == name:
                current = value
        while isinstance(current, ast.Call) and isinstance(current.func, ast.Attribute) and current.func.attr == "copy":
            current = current.func.value
        if isinstance(current, ast.Subscript):
            value = literal(current.slice, constants)
            return list(value) if isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value) else None
    return None


def _selection(kept: list[_Item], result: ast.expr, raw_name: str, columns: Sequence[str] | None, names: Names) -> str | None:
    """The column list of a program that only selects columns, as the author named it; None for any other program."""
    if columns is None:
        return None
    current = result
    named = None
    for item in reversed(kept):
        match item.node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if isinstance(current, ast.Name) and current.id == name:
                current = value
            case _:
                return None
        while True:
            match current:
                case ast.Subscript(value=inner, slice=key) if (selected := _column_list(key, names.constant_names)) is not None:
                    if selected == list(columns) and _constants_only(key):
                        named = named or ast.unparse(key)
                    current = inner
                case ast.Call(func=ast.Attribute(value=inner, attr="copy"), args=[]):
                    current = inner
                case _:
                    break
    if not kept:
        match current:
            case ast.Subscript(value=inner, slice=key) if (selected := _column_list(key, names.constant_names)) is not None:
                named = ast.unparse(key) if selected == list(columns) and _constants_only(key) else None
                current = inner
    if isinstance(current, ast.Name) and current.id == raw_name:
        return named or "MODEL_COLUMNS"
    return None


def _constants_only(key: ast.expr) -> bool:
    """True for names of constants and sums of them: worth keeping as the author wrote them."""
    return all(isinstance(n, (ast.Name, ast.BinOp, ast.Add, ast.Load)) for n in ast.walk(key))


def _function(
    lines: list[str], cells: tuple[int, ...], boundary: str, columns: Sequence[str] | None, *, settings: bool = False,
    state: str | None = None,
) -> str:  # fmt: skip
    what = "Raw rows to the model's input" if boundary == "raw" else "The model's input, as the caller made it"
    where = f" ({'cell' if len(cells) == 1 else 'cells'} {', '.join(map(str, cells))} of the notebook)" if cells else ""
    settings = settings or any("settings." in line for line in lines)
    if settings:
        lines = ["settings = settings or Settings.load()", *lines]
    if state:
        lines = [f"{state} = {state} or FeatureState.load()", *lines]
    parameters = "raw: pd.DataFrame" + (f", {state}: FeatureState | None = None" if state else "")
    parameters += ", settings: Settings | None = None" if settings else ""
    result = "Any" if columns is None else "pd.DataFrame"
    body = indent("\n".join(lines))
    return f'def build_features({parameters}) -> {result}:\n    """{what}{where}."""\n{body}\n'


def engineered_program(columns: Sequence[str] | None, layout: str = "frame") -> FeatureProgram:
    """The boundary below the notebook's preparation: a request holds the model's own input.

    An array's columns are called x0, x1, ... in requests; a series is the column ``text``.
    """
    end = {"array": "raw.to_numpy()", "series": 'raw["text"]'}.get(layout, "raw" if columns is None else "raw[MODEL_COLUMNS]")
    source = _function([f"return {end}"], (), "engineered", columns)
    return FeatureProgram(source, True, None if columns is None else tuple(columns), (), "engineered")
