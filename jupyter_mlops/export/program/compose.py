"""Feature program and estimator as one ONNX model that takes the raw row, compared with both on real rows."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from jupyter_mlops.export.graph import Graph, Unsupported
from jupyter_mlops.export.onnx import OnnxInput, OnnxModel, Refusal, open_session
from jupyter_mlops.export.program.cells import LARGEST, Cell, Tracer
from jupyter_mlops.export.program.symbols import Refused, Symbol

if TYPE_CHECKING:
    import pandas as pd

    from jupyter_mlops.signature import Column, Signature

__all__ = ["ProgramRefusal", "Walked", "export_program", "walk"]

_SAMPLE = 300  # rows that go along through the program
_OPSET = 20  # the first with operations on texts
_EDGES = 200


@dataclass(frozen=True)
class ProgramRefusal(Refusal):
    """Why the raw row is not taken, and from which operation on the features are needed; `operation` is empty where none is to blame."""

    operation: str = ""
    module: str = ""
    line: int = 0


def export_program(
    build: Callable[..., Any], module: ModuleType, estimator: Any, raw_signature: Signature, raw_rows: pd.DataFrame, *,
    state: Any = None, metadata: Mapping[str, str] = {},
) -> OnnxModel | ProgramRefusal:  # fmt: skip
    """Compile a feature program together with its model, and compare the result with both.

    Parameters
    ----------
    build
        `build_features` of the generated package: raw rows, and the fitted state where there is one.
    module
        The module that defines it, as it was imported.
    estimator
        The fitted model.
    raw_signature
        Schema of the raw row.
    raw_rows
        Raw rows that program and model take, edge rows among them.
    state
        The program's second argument; None calls it without.
    metadata
        Written into the model's properties.

    Returns
    -------
    OnnxModel | ProgramRefusal
        A model whose inputs are the columns of the raw row, and which predicted on these rows and on rows crossed from
        them what the model predicts of their features; otherwise the reason why there is none.
    """
    import warnings

    columns = [column.name for column in raw_signature.inputs]
    rows = raw_rows[columns].reset_index(drop=True)
    given = (state,) if state is not None else ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            walked = walk(build, module, raw_signature, rows, given)
            model = _compose(walked, estimator, raw_signature, metadata)
            return _check(build, estimator, raw_signature, rows, given, module, model) or model
        except Refused as error:
            return ProgramRefusal(error.reason, "program-unsupported", error.operation, error.module, error.line)
        except Unsupported as error:
            return ProgramRefusal(str(error), "program-unsupported")
        except Exception as error:  # code that nobody thought of must not stop the conversion
            return ProgramRefusal(f"the program could not be walked: {_short(error)}", "program-unsupported")


@dataclass
class Walked:
    tracer: Tracer
    inputs: tuple[OnnxInput, ...]
    features: Symbol


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def walk(build: Callable[..., Any], module: ModuleType, signature: Signature, rows: Any, given: tuple[Any, ...]) -> Walked:
    """The program's nodes, from the inputs to its result."""
    from jupyter_mlops.export.build import null_string
    from jupyter_mlops.export.compiler import Compiler
    from jupyter_mlops.export.program.calls import Caller
    from jupyter_mlops.export.program.interpret import Interpreter

    graph = Graph()
    graph.domains[""] = _OPSET
    tracer = Tracer(Compiler(graph, null_string(signature, rows)))
    sample = rows if len(rows) <= _SAMPLE else rows.iloc[:: -(-len(rows) // _SAMPLE)].reset_index(drop=True)
    inputs, cells = _inputs(graph, signature, rows)
    caller = Caller(tracer, module.__name__, len(sample))
    caller.interpreter = Interpreter(caller)
    function = caller.function(inspect.unwrap(build))
    result = caller.interpreter.call(function, (Symbol(sample.copy(), cells), *given), {})
    if not isinstance(result, Symbol):
        raise Unsupported("build_features gives no table")
    return Walked(tracer, inputs, result)


def _inputs(g: Graph, signature: Signature, rows: Any) -> tuple[tuple[OnnxInput, ...], list[Cell]]:
    from jupyter_mlops.export.build import RESERVED

    taken, inputs, cells = set(RESERVED), [], []
    for column in signature.inputs:
        name = column.name or "column"
        while name in taken:
            name = f"input_{name}"
        taken.add(name)
        kind = "string" if column.kind == "string" else "double"
        g.input(name, kind, 1)
        inputs.append(OnnxInput(name, column.name, "string" if kind == "string" else "double"))
        cells.append(_input_cell(column, name, rows[column.name]))
    return tuple(inputs), cells


def _input_cell(column: Column, name: str, values: Any) -> Cell:
    import pandas as pd

    present = values.dropna()
    domain = tuple(column.categories) if column.closed and column.categories is not None else None
    if column.kind == "datetime":
        if getattr(values.dtype, "tz", None) is not None or (present.astype("datetime64[ns]").astype("int64") % 1000 != 0).any():
            return Cell(name, "mixed")
        return Cell(name, "date")
    if column.kind == "string":
        texts = all(isinstance(value, str) for value in present)
        return Cell(name, "text", domain=domain) if texts else Cell(name, "mixed")
    if not all(isinstance(value, (bool, int, float)) or hasattr(value, "item") for value in present):
        return Cell(name, "mixed")
    if column.kind == "boolean":
        return Cell(name, domain=(False, True))
    if column.kind == "integer" and len(present) and not isinstance(values.dtype, pd.CategoricalDtype):
        if max(abs(int(present.min())), abs(int(present.max()))) > LARGEST:
            return Cell(name, "mixed")
    return Cell(name, domain=domain)


def _compose(walked: Walked, estimator: Any, signature: Signature, metadata: Mapping[str, str]) -> OnnxModel:
    from jupyter_mlops.export.build import estimator_outputs, output_names
    from jupyter_mlops.export.program.fitted import to_value

    t = walked.tracer
    value = to_value(t, walked.features, estimator)
    try:
        outputs = estimator_outputs(t.compiler, estimator, value, signature.output.task, t.guard)
    except Unsupported as error:
        raise Unsupported(f"{type(estimator).__name__} behind the features: {error}") from error
    data = t.g.model(outputs, {str(key): str(text) for key, text in metadata.items()})
    return OnnxModel(data, walked.inputs, t.null, output_names(outputs))


# -- the comparison -----------------------------------------------------------------------------------------------------


def _check(
    build: Callable[..., Any], estimator: Any, signature: Signature, rows: Any, given: tuple[Any, ...], module: ModuleType,
    model: OnnxModel,
) -> ProgramRefusal | None:  # fmt: skip
    """None when every row agrees: the rows themselves, edge rows of them, and rows crossed from both."""
    from jupyter_mlops.export.edges import accepted, edge_rows
    from jupyter_mlops.export.feeds import run_onnx
    from jupyter_mlops.export.parity import compare, predict_estimator, tolerance_of

    def predict(some: Any) -> Any:
        features = build(some, *given)
        if len(features) != len(some):
            raise ValueError("rows are dropped")
        return predict_estimator(estimator, features)

    task = signature.output.task
    session = open_session(model.data)
    edges = _allowed(signature, edge_rows(rows, signature, limit=_EDGES, seed=1))
    edges = edges[accepted(predict, edges)]
    crossed = _crossed(rows, edges)
    crossed = crossed[accepted(predict, crossed)]
    for what, some in (("the rows", rows), ("edge rows", edges), ("crossed rows", crossed)):
        if not len(some):
            continue
        some = some.reset_index(drop=True)
        expected = predict(some)
        try:
            got = run_onnx(session, some, model)
        except Exception as error:  # ONNX Runtime has no common root for what a session may raise
            return ProgramRefusal(f"ONNX Runtime fails on {what} that the model takes: {_short(error)}", "program-wrong")
        result = compare(expected, got, tolerance_of(task, expected), task=task)
        if not result.ok:
            where = _first_difference(build, module, signature, some, given)
            return ProgramRefusal(
                f"{result.mismatches} of {result.rows} rows ({what}) are predicted differently by features and model in one graph{where}",
                "program-wrong",
            )
    return None


def _allowed(signature: Signature, rows: Any) -> Any:
    """Rows that the signature lets through: no level that is unknown, no missing value where there must be one."""
    import numpy as np

    keep = np.ones(len(rows), dtype=bool)
    for column in signature.inputs:
        missing = rows[column.name].isna().to_numpy()
        if not column.nullable:
            keep &= ~missing
        if column.closed and column.categories is not None:
            keep &= missing | rows[column.name].isin(column.categories).to_numpy()
    return rows[keep]


def _crossed(rows: Any, edges: Any) -> Any:
    """Rows whose values come from different rows each."""
    import numpy as np
    import pandas as pd

    generator = np.random.default_rng(3)
    every = pd.concat([rows.iloc[:_EDGES], edges], ignore_index=True)
    every = every.astype({name: rows[name].dtype for name in rows.columns})
    return pd.DataFrame({name: every[name].to_numpy()[generator.permutation(len(every))] for name in every.columns}).astype(
        {name: rows[name].dtype for name in rows.columns}
    )


def _first_difference(
    build: Callable[..., Any], module: ModuleType, signature: Signature, rows: Any, given: tuple[Any, ...]
) -> str:
    """The first feature that differs, by its name or position, for the message."""
    import numpy as np

    from jupyter_mlops.export.feeds import feeds

    try:
        walked = walk(build, module, signature, rows, given)
        features, t = build(rows.copy(), *given), walked.tracer
        for at, cell in enumerate(walked.features.cells):
            if cell.kind != "number":
                continue
            graph_model = t.g.model({f"feature_{at}": (t.tensor(cell), "double", 1)}, {})
            t.g.nodes.pop()
            (got,) = open_session(graph_model).run([f"feature_{at}"], feeds(rows, walked.inputs, t.null))
            column = Symbol(features, walked.features.cells).column(at)
            expected = np.asarray(column, dtype=np.float64).ravel()
            if not np.isclose(got.ravel(), expected, rtol=1e-12, atol=0, equal_nan=True).all():
                return f"; first in {features.columns[at]!r}" if hasattr(features, "columns") else f"; first in column {at}"
    except Exception:  # a refusal stands without the name of a feature
        return ""
    return ""
