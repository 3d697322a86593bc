"""Everything of a conversion that holds frames and fitted models, in a process of its own.

The generated package, and with it the notebook's own classes, is imported here and nowhere else: the caller (a server,
a kernel, a command line) stays free of it. `worker` runs these functions in a subprocess.
"""

from __future__ import annotations

import importlib
import json
import shutil
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import ExportError
from jupyter_mlops.workflows.captured import Captured, build_where_possible, load_captured, load_estimator, match_rows
from jupyter_mlops.workflows.composed import compose
from jupyter_mlops.workflows.expected_rows import ExpectedRows
from jupyter_mlops.workflows.fitted import describe_state, needed_columns, write_state
from jupyter_mlops.workflows.schemas import describe_frame, json_rows, json_value, output_of, probe, signature_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["answer", "answered", "export", "features", "look", "warm"]

GOLDEN = 400  # golden rows kept; never fewer than 200 where the notebook has that many
_ELSEWHERE = 10**9  # an index that no raw table has
_ANNOTATIONS = {
    "pandas.core.frame.DataFrame": "pd.DataFrame",
    "pandas.core.series.Series": "pd.Series",
    "numpy.ndarray": "np.ndarray[Any, Any]",
    "builtins.float": "float",
    "builtins.int": "int",
    "builtins.str": "str",
    "builtins.bool": "bool",
    "builtins.list": "list[Any]",
    "builtins.dict": "dict[Any, Any]",
}


def warm() -> dict[str, Any]:
    """Import what will be needed, while the notebook still runs."""
    for name in ("pandas", "sklearn.pipeline", "skops.io", "onnxruntime", "onnx"):
        importlib.import_module(name)
    return {}


def look(folder: str) -> dict[str, Any]:
    """What planning needs to know of the notebook's run."""
    place = Path(folder)
    captured = load_captured(place)
    facts = json.loads((place / "capture.json").read_text(encoding="utf-8"))
    given = captured.model_input
    if given is None:
        return {"layout": None}
    values = {
        name: value
        for name, value in captured.values.items()
        if isinstance(value, (bool, int, float, str)) or (isinstance(value, (list, tuple)) and len(value) < 500)
    }
    return {
        "layout": captured.layout,
        "columns": [str(c) for c in given.columns] if captured.layout == "frame" else None,
        "frames": {name: len(frame) for name, frame in captured.frames.items()},
        "forms": facts["forms"],
        "annotations": {name: _ANNOTATIONS[kind] for name, kind in facts["names"].items() if kind in _ANNOTATIONS},
        "values": values,
        "refit": captured.refit,
        "numbered": captured.layout == "frame" and captured.numbered,
        "renamed": {
            table: [[text, name] for text, name in odd.items()]
            for table, odd in captured.renamed.items()
            if all(isinstance(name, int) for name in odd.values())
        },
    }


def _package(project: Path, package: str, module: str) -> Any:
    """A module of the generated package, freshly imported: it may have been rendered again since the last time."""
    source = str(project / "src")
    if source not in sys.path:
        sys.path.insert(0, source)
    for name in [n for n in sys.modules if n == package or n.startswith(f"{package}.")]:
        if name != f"{package}.helpers":  # classes of the fitted model must stay the same objects
            del sys.modules[name]
    importlib.invalidate_caches()
    return importlib.import_module(f"{package}.{module}")


def features(
    folder: str, project: str, package: str, raw: str, entries: list[dict[str, Any]], stateful: bool = False,
    complete: bool = False, synthetic: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Does `build_features` make of raw rows exactly what the notebook's model got, each row by itself?

    Parameters
    ----------
    entries
        What the program takes from training, as dicts of `StateEntry`; the state is written into ``model/state``.
    synthetic
        Rows that resampling made up are among those that the model was asked about.

    Returns
    -------
    dict
        "ok", "reason", "columns" (those that a request must bring) and "completes": where the code names others too, all
        columns in the table's order, each with the source text of what stands for it, None for those of the request.
    """
    root, place = Path(project), Path(folder)
    captured = load_captured(place)
    table = captured.frames.get(raw)
    if table is None:
        return {"ok": False, "reason": f"{raw!r} is no table when the load cells have run", "columns": []}

    def no(reason: str, differing: Sequence[str] = ()) -> dict[str, Any]:
        return {"ok": False, "reason": reason, "columns": list(differing)}

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        step = "the state cannot be saved"
        try:
            if stateful:
                _package(root, package, "state")
                write_state(place, root, package, entries)
            step = "build_features fails on raw rows"
            build = _package(root, package, "features").build_features
            table = _usable(place, table, build)
            matched = match_rows(build, table, captured.model_input, synthetic=synthetic)
            if matched.raw is None:
                return no(matched.reason, matched.columns)
            if reason := _depends_on_other_rows(build, matched.raw):
                return no(reason)
            needed, filled = needed_columns(build, matched.raw, table)
        except Exception as error:  # the notebook's own code, run on rows that it was not written for
            return no(f"{step}: {_short(error)}")
    if not needed:
        return no("the rows that the model was asked about do not come from the raw table")
    completes = [(name, filled.get(name)) for name in map(str, table.columns) if name in {*needed, *filled}] if filled else []
    return {"ok": True, "reason": "", "columns": needed, "completes": completes}


def _usable(place: Path, table: pd.DataFrame, build: Any = None) -> pd.DataFrame:
    """The rows of a raw table that have features at all: training may have left out those that have none.

    They are looked for once, with `build`, and kept for the steps that follow.
    """
    kept = place / f"usable-{len(table)}.json"
    if kept.is_file():
        return table.iloc[json.loads(kept.read_text(encoding="utf-8"))]
    if build is None:
        return table
    _, positions = build_where_possible(build, table)
    if len(positions) == len(table):
        return table
    kept.write_text(json.dumps(positions), encoding="utf-8")
    return table.iloc[positions]


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _depends_on_other_rows(build: Any, rows: pd.DataFrame) -> str:
    """Differential execution: single rows, a reversed table and one with another index must give what the whole gave.

    The reason if they do not.
    """
    from jupyter_mlops.workflows.captured import _cells_equal

    some = rows.iloc[:200]
    whole = build(some)
    if _count(whole) != len(some):
        return f"{len(some)} rows become {_count(whole)}"
    backwards = build(some.iloc[::-1])
    try:
        if not _cells_equal(whole, backwards[::-1] if not hasattr(backwards, "iloc") else backwards.iloc[::-1]).all():
            return "the features of a row depend on the order of the rows"
        elsewhere = build(
            some.set_axis(range(_ELSEWHERE, _ELSEWHERE + len(some)))
        )  # what is aligned by index finds nothing there
        if not _cells_equal(whole, elsewhere).all():
            return "the features of a row depend on its place in the raw table"
        step = max(1, len(some) // 5)
        parts = [slice(at, at + 1) for at in range(0, len(some), step)] + [slice(at, at + 7) for at in range(0, len(some), 7)]
        for at in parts:  # some rows by themselves, and each one with few others
            few = build(some.iloc[at])
            part = whole.iloc[at] if hasattr(whole, "iloc") else whole[at]
            if _count(few) != _count(part) or not _cells_equal(part, few).all():
                return "the features of a row depend on the other rows"
    except Exception as error:
        return f"build_features fails on a single row: {type(error).__name__}: {error}"
    return ""


def _rows(value: Any, positions: Any) -> Any:
    if hasattr(value, "iloc"):
        return value.iloc[positions]
    if hasattr(value, "shape"):
        return value[positions]
    return [value[p] for p in positions]


def _count(value: Any) -> int:
    return int(value.shape[0]) if hasattr(value, "shape") else len(value)


def _as_frame(value: Any, layout: str) -> pd.DataFrame:
    """A model input as a table of request rows, for the engineered boundary."""
    import numpy as np
    import pandas as pd

    if layout == "frame":
        return value.reset_index(drop=True)
    if layout == "series":
        return pd.DataFrame({"text": list(value)})
    array = value.toarray() if hasattr(value, "toarray") else np.asarray(value)
    return pd.DataFrame(array, columns=[f"x{i}" for i in range(array.shape[1])])


def _golden_raw(
    captured: Captured, build: Any, raw: pd.DataFrame | None, synthetic: bool
) -> tuple[pd.DataFrame, Any, np.ndarray | None, np.ndarray | None]:
    """Golden rows: raw rows, their model input, and the notebook's own answers (None: ask its fitted model)."""
    import numpy as np
    import pandas as pd

    def evenly(count: int, wanted: int) -> np.ndarray:
        return np.unique(np.linspace(0, count - 1, min(count, wanted)).astype(int))

    given = captured.model_input
    positions = evenly(_count(given), GOLDEN)
    part = _rows(given, positions)
    if raw is None:
        table = _as_frame(part, captured.layout)
    else:
        matched = match_rows(build, raw, part, synthetic=synthetic)
        assert matched.raw is not None and matched.positions is not None, matched.reason
        table, positions = matched.raw, positions[matched.positions]
    own = captured.input is not None and not captured.refit
    result = captured.result[positions] if own and captured.result is not None else None
    probabilities = captured.probabilities[positions] if own and captured.probabilities is not None else None
    if len(table) < 200 and captured.fit_input is not None and captured.input is not None:
        more = _rows(captured.fit_input, evenly(_count(captured.fit_input), GOLDEN - len(table)))
        extra = _as_frame(more, captured.layout) if raw is None else match_rows(build, raw, more, synthetic=synthetic).raw
        if extra is not None:
            table = pd.concat([table, extra.drop(index=[i for i in extra.index if raw is not None and i in table.index])])
    return table, build(table), result, probabilities


def export(
    folder: str, project: str, package: str, raw: str, boundary: str, needed: list[str], trained: str, synthetic: bool = False,
    suites: Sequence[str] = (),
) -> dict[str, Any]:  # fmt: skip
    """Choose the fitted model that is carried, read the signatures, make ONNX, and write `model/`.

    Returns
    -------
    dict
        Plain data for the plan and the report: signatures, engine, ONNX inputs, trusted types, golden rows by kind.
    """
    import numpy as np
    import pandas as pd

    from jupyter_mlops.export.edges import accepted, edge_rows
    from jupyter_mlops.export.onnx import OnnxModel, export_onnx
    from jupyter_mlops.export.parity import Predictions, compare, predict_estimator, tolerance_of
    from jupyter_mlops.export.persist import save_skops
    from jupyter_mlops.workflows.bundle import bundle_golden, bundle_signature

    warnings.simplefilter("ignore")
    place, root = Path(folder), Path(project)
    program = _package(root, package, "features")
    build = program.build_features
    helpers = f"{package}.helpers" if (root / "src" / package / "helpers.py").exists() else None
    captured = load_captured(place)
    inner = estimator = load_estimator(place, helpers)
    if (root / "src" / package / "answer.py").exists():
        estimator = _package(root, package, "answer").answering(inner, load_estimator(place, helpers, "fitted"))
    table = _usable(place, captured.frames[raw]) if boundary == "raw" else None
    golden, inputs, result, probabilities = _golden_raw(captured, build, table, synthetic)
    columns = needed if boundary == "raw" else [str(c) for c in golden.columns]

    def ask(rows: pd.DataFrame) -> Predictions:
        return predict_estimator(estimator, build(rows))

    asked = predict_estimator(estimator, inputs)
    problems: list[dict[str, Any]] = []
    task = output_of(estimator, asked.labels).task
    allowed = tolerance_of(task, asked)
    expected = asked
    if result is not None:
        own = Predictions(answered(inner, estimator, np.asarray(result).reshape(len(result))), probabilities)
        count = len(own.labels)
        again = Predictions(
            asked.labels[:count],
            None if asked.probabilities is None or own.probabilities is None else asked.probabilities[:count],
        )
        if compare(own, again, allowed, task=task).mismatches:
            raise ExportError(
                "The notebook's fitted model no longer gives the predictions that the notebook recorded: it was changed after "
                "the evaluated predict. Keep the evaluated model under a name of its own."
            )
        # The notebook's own answers first; rows beyond them were judged by its fitted model.
        expected = Predictions(
            np.concatenate([own.labels.astype(asked.labels.dtype), asked.labels[count:]]),
            asked.probabilities if own.probabilities is None or asked.probabilities is None
            else np.concatenate([own.probabilities, asked.probabilities[count:]]),
        )  # fmt: skip
    # Which fitted model is carried: the package's own where it is the same, else the notebook's.
    persist = _package(root, package, "persist")
    carried = "notebook"
    difference = None
    if trained and Path(trained).is_file():
        retrained = predict_estimator(persist.load_model(Path(trained)), inputs)
        compared = compare(asked, retrained, allowed, task=task)
        difference = compared.as_dict()
        if not compared.mismatches and _same_state(build, golden, inputs, Path(trained).parent / "state", root, package):
            carried = "package"
    model_dir = root / "model"
    model_dir.mkdir(exist_ok=True)
    if carried == "package":
        shutil.copyfile(trained, model_dir / "model.skops")
        estimator = persist.load_model(model_dir / "model.skops")
        from skops.io import get_untrusted_types

        trusted: tuple[str, ...] = tuple(get_untrusted_types(file=model_dir / "model.skops"))
    else:
        trusted = save_skops(estimator, model_dir / "model.skops")
    # Signatures: types from the tables, what is accepted from the fitted model.
    source = table if table is not None else golden
    if table is None and captured.layout == "frame":
        source = _as_frame(captured.model_input, captured.layout)
    described = probe(describe_frame(source, columns), golden, ask, source)
    expected_rows = ExpectedRows(_package(root, package, "expectations"), suites, described) if suites else None
    if expected_rows is not None:
        expected_rows.require(golden)
        described = expected_rows.narrowed(described)
    output = output_of(estimator, asked.labels)
    raw_signature = signature_of(described, output, "frame")
    model_frame = _as_frame(inputs, captured.layout)
    by_name = {c.name: c for c in described}
    model_columns = tuple(
        replace(by_name[c.name], dtype=c.dtype)
        if c.name in by_name and boundary == "raw" and by_name[c.name].kind == c.kind
        else c
        for c in describe_frame(model_frame, [str(c) for c in model_frame.columns])
    )
    model_signature = signature_of(model_columns, output, captured.layout)
    # Edge rows, judged by the notebook's fitted model.
    edges = edge_rows(golden[columns], raw_signature)
    good = accepted(ask, edges)
    for column in described:
        if column.closed and column.kind == "string":  # the service takes no other level, even one that reads as a number
            good &= (edges[column.name].isin(column.categories or ()) | edges[column.name].isna()).to_numpy()
    if good.any() and (numbers := ask(edges[good]).labels).dtype.kind == "f":
        good[np.flatnonzero(good)[~np.isfinite(numbers)]] = False  # JSON cannot say infinity
    if good.any() and (harmful := _harmful(build, golden[columns], edges[good])):
        good[np.flatnonzero(good)[harmful]] = False
        problems.append(
            {"code": "harmful-rows", "severity": "warning", "message": "Some values that training did not have, among other rows of "
             "one request, change the features of those: send rows with such values by themselves."}
        )  # fmt: skip
    edge_expected = ask(edges[good]) if good.any() else None
    everything = pd.concat([golden[columns], edges[good]], ignore_index=True) if good.any() else golden[columns]
    built = build(everything)
    built = built.toarray() if hasattr(built, "toarray") else built  # what ONNX is given
    exported = export_onnx(estimator, model_signature, built)
    engine, reason, onnx = "sklearn", None, None
    if isinstance(exported, OnnxModel):
        engine = "onnx"
    else:
        reason = exported.reason
        problems.append(
            {"code": exported.code, "severity": "warning", "message": f"No ONNX, so no edge bundle: {exported.reason}"}
        )
    rows = json_rows(golden, columns) + (json_rows(edges[good], columns) if good.any() else [])
    labels = [json_value(v) for v in expected.labels] + ([json_value(v) for v in edge_expected.labels] if edge_expected else [])
    both = expected.probabilities is not None
    proba = None
    if both:
        stacked = [expected.probabilities] + ([edge_expected.probabilities] if edge_expected is not None else [])
        proba = np.concatenate([p for p in stacked if p is not None]).tolist()
    kinds = ["golden"] * len(golden) + ["edge"] * int(good.sum())
    answers = {"rows": rows, "predictions": labels, "probabilities": proba, "kinds": kinds}
    # Edge rows that the notebook's own expectations refuse: the service must, package and bundle are compared on them.
    held = [False] * len(rows)
    if expected_rows is not None and good.any():
        held[len(golden) :] = (~expected_rows.passes(edges[good])).tolist()
    if any(held):
        problems.append(
            {"code": "rows-refused", "severity": "info", "message": f"{sum(held)} of {int(good.sum())} edge rows break critical expectations "
             "of the notebook: the proof is that the service refuses them, while package and bundle predict them."}
        )  # fmt: skip
        _dump(place / "held.json", _picked(answers, held))
    _dump(model_dir / "golden.json", _picked(answers, [not one for one in held]))
    stateful = (root / "src" / package / "state.py").exists()
    same = captured.layout == "frame" and not stateful and _identity(everything, _as_frame(built, "frame"))
    identity = boundary == "engineered" or same
    composed = False
    if isinstance(exported, OnnxModel):
        if not identity:
            made = compose(build, program, estimator, raw_signature, everything)
            if made.model is None:
                _dump(place / "program.json", made.refusal)
            else:
                exported, identity, composed = made.model, True, True
        onnx = exported.as_dict()
        (model_dir / "model.onnx").write_bytes(exported.data)
    _dump(
        model_dir / "signature.json",
        {"raw": raw_signature.as_dict(), "model": model_signature.as_dict(), "identity": identity, "onnx": onnx},
    )
    if onnx is not None:
        taken = everything if composed else _as_frame(built, captured.layout)
        described_input = raw_signature if composed else model_signature
        _dump(place / "bundle.signature.json", bundle_signature(described_input, taken, identity, onnx))
        _dump(place / "bundle.golden.json", bundle_golden(taken, answers))
    refused = json_rows(edges[~good], columns)
    _dump(place / "refused.json", refused)
    return {
        "task": task, "raw": raw_signature.as_dict(), "model": model_signature.as_dict(), "identity": identity,
        "composed": composed, "engine": engine, "engine_reason": reason, "onnx": onnx, "trusted_types": list(trusted), "carried": carried,
        "retrained": difference, "golden": len(golden), "edge": int(good.sum()), "refused": len(refused),
        "tolerance": {"absolute": allowed.absolute, "relative": allowed.relative, "why": allowed.why}, "problems": problems,
        "class": _class_name(estimator), "state": describe_state(root, package) if (model_dir / "state").is_dir() else [],
    }  # fmt: skip


def _picked(answers: dict[str, Any], wanted: Sequence[bool]) -> dict[str, Any]:
    """Some of the rows of a `golden.json`."""
    return {
        name: None if values is None else [value for value, take in zip(values, wanted, strict=True) if take]
        for name, values in answers.items()
    }


def _harmful(build: Any, rows: pd.DataFrame, edges: pd.DataFrame) -> list[int]:
    """Positions of edge rows that change the features of the rows beside them."""
    import pandas as pd

    from jupyter_mlops.workflows.captured import _cells_equal

    some = rows.iloc[:20]
    apart = build(some)

    def harms(start: int, stop: int) -> bool:
        try:
            together = build(pd.concat([some, edges.iloc[start:stop]]))
            return not _cells_equal(apart, _rows(together, slice(0, len(some)))).all()
        except Exception:
            return True

    def visit(start: int, stop: int) -> list[int]:
        if start == stop or not harms(start, stop):
            return []
        if stop - start == 1:
            return [start]
        middle = (start + stop) // 2
        return visit(start, middle) + visit(middle, stop)

    return visit(0, len(edges))


def answered(inner: Any, whole: Any, labels: np.ndarray) -> np.ndarray:
    """What the notebook makes of its model's predictions."""
    import numpy as np

    if inner is whole:
        return labels
    if hasattr(whole, "transformer_"):
        return np.asarray(whole.transformer_.inverse_transform(labels.reshape(-1, 1))).reshape(len(labels))
    names = dict(zip(np.asarray(inner.classes_).tolist(), np.asarray(whole.classes_).tolist(), strict=True))
    return np.array([names[label] for label in labels.tolist()])


def answer(folder: str, project: str, package: str) -> dict[str, Any]:
    """Does the model with the notebook's last step behind it predict what that step makes of the model's predictions?"""
    import numpy as np

    root, place = Path(project), Path(folder)
    helpers = f"{package}.helpers" if (root / "src" / package / "helpers.py").exists() else None
    module = _package(root, package, "answer")
    inner, fitted = load_estimator(place, helpers), load_estimator(place, helpers, "fitted")
    rows = load_captured(place).model_input
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = np.asarray(module.answer(inner.predict(rows), fitted)).reshape(-1)
            made = np.asarray(module.answering(inner, fitted).predict(rows)).reshape(-1)
        except Exception as error:
            return {"ok": False, "reason": _short(error)}
    same = expected == made if expected.dtype.kind in "OUSb" else np.isclose(expected, made, rtol=1e-9, equal_nan=True)
    return {"ok": bool(np.all(same)), "reason": "the model that is carried would answer something else"}


def _same_state(build: Any, rows: pd.DataFrame, inputs: Any, learned: Path, project: Path, package: str) -> bool:
    """Whether the features are the same with what the package's own training learned."""
    if not learned.is_dir():
        return True
    state = _package(project, package, "state").FeatureState.load(learned)
    again = build(rows, state)
    from jupyter_mlops.workflows.captured import _cells_equal, _same_shape

    return _same_shape(inputs, again) and bool(_cells_equal(inputs, again).all())


def _identity(rows: pd.DataFrame, model_frame: pd.DataFrame) -> bool:
    """True when the features are columns of the raw row, unchanged, in golden and in edge rows: ONNX is fed from the request."""
    from jupyter_mlops.workflows.captured import _cells_equal

    names = list(model_frame.columns)
    if any(n not in rows.columns for n in names):
        return False
    if any(str(rows[n].dtype) != str(model_frame[n].dtype) for n in names):
        return False
    return bool(_cells_equal(rows[names].reset_index(drop=True), model_frame).all())


def _class_name(estimator: Any) -> str:
    steps = getattr(estimator, "steps", None)
    name = type(estimator).__name__
    if steps:
        return f"{name}({type(steps[-1][1]).__name__})"
    inner = getattr(estimator, "best_estimator_", None)
    return f"{name}({_class_name(inner)})" if inner is not None else name


def _dump(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=None) + "\n", encoding="utf-8")
