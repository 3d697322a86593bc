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
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import ExportError
from jupyter_mlops.workflows.captured import Captured, load_captured, load_estimator, match_rows
from jupyter_mlops.workflows.fitted import describe_state, load_columns, needed_columns, save_columns, write_state
from jupyter_mlops.workflows.schemas import describe_frame, json_rows, json_value, output_of, probe, signature_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["export", "features", "look", "warm"]

GOLDEN = 400  # golden rows kept; never fewer than 200 where the notebook has that many
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
        "annotations": {name: _ANNOTATIONS[kind] for name, kind in facts["names"].items() if kind in _ANNOTATIONS},
        "values": values,
        "refit": captured.refit,
        "odd_columns": bool(captured.layout == "frame" and any(not isinstance(c, str) for c in given.columns)),
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
    complete
        The program fills in columns that a request does not bring, as found by the call before.
    synthetic
        Rows that resampling made up are among those that the model was asked about.

    Returns
    -------
    dict
        "ok", "reason", "columns" (those that a request must bring) and "completes" (it lacks others that the code names).
    """
    root, place = Path(project), Path(folder)
    captured = load_captured(place)
    table = captured.frames.get(raw)
    if table is None:
        return {"ok": False, "reason": f"{raw!r} is no table when the load cells have run", "columns": []}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if stateful:
            try:
                _package(root, package, "state")
                write_state(place, root, package, entries, columns=load_columns(place) if complete else None)
            except Exception as error:
                return {"ok": False, "reason": f"the state cannot be saved: {_short(error)}", "columns": []}
        build = _package(root, package, "features").build_features
        matched = match_rows(build, table, captured.model_input, synthetic=synthetic)
        if matched.raw is None:
            return {"ok": False, "reason": matched.reason, "columns": list(matched.columns)}
        reason = _depends_on_other_rows(build, matched.raw)
        if reason:
            return {"ok": False, "reason": reason, "columns": []}
        needed, filled = needed_columns(build, matched.raw)
        if filled:
            save_columns(place, {name: None if name in needed else filled[name] for name in table.columns if name in {*needed, *filled}})
    return {"ok": True, "reason": "", "columns": needed, "completes": bool(filled)}


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _depends_on_other_rows(build: Any, rows: pd.DataFrame) -> str:
    """Differential execution: single rows and a reversed table must give what the whole gave. The reason if not."""
    from jupyter_mlops.workflows.captured import _cells_equal

    some = rows.iloc[:200]
    whole = build(some)
    backwards = build(some.iloc[::-1])
    try:
        if not _cells_equal(whole, backwards[::-1] if not hasattr(backwards, "iloc") else backwards.iloc[::-1]).all():
            return "the features of a row depend on the order of the rows"
        for position in range(0, len(some), max(1, len(some) // 5)):
            alone = build(some.iloc[[position]])
            part = whole.iloc[[position]] if hasattr(whole, "iloc") else whole[position : position + 1]
            if not _cells_equal(part, alone).all():
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
    folder: str, project: str, package: str, raw: str, boundary: str, needed: list[str], trained: str, synthetic: bool = False
) -> dict[str, Any]:
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
    build = _package(root, package, "features").build_features
    helpers = f"{package}.helpers" if (root / "src" / package / "helpers.py").exists() else None
    captured = load_captured(place)
    estimator = load_estimator(place, helpers)
    table = captured.frames[raw] if boundary == "raw" else None
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
        own = Predictions(np.asarray(result).reshape(len(result)), probabilities)
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
        if not compared.mismatches:
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
    described = probe(describe_frame(source, columns), golden, ask)
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
    edge_expected = ask(edges[good]) if good.any() else None
    everything = pd.concat([golden[columns], edges[good]]) if good.any() else golden[columns]
    built = build(everything)
    exported = export_onnx(estimator, model_signature, built)
    engine, reason, onnx = "sklearn", None, None
    if isinstance(exported, OnnxModel):
        engine, onnx = "onnx", exported.as_dict()
        (model_dir / "model.onnx").write_bytes(exported.data)
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
    _dump(model_dir / "golden.json", answers)
    identity = bool(boundary == "engineered" or _identity(build, golden, model_frame, captured.layout))
    _dump(
        model_dir / "signature.json",
        {"raw": raw_signature.as_dict(), "model": model_signature.as_dict(), "identity": identity, "onnx": onnx},
    )
    if onnx is not None:
        taken = _as_frame(built, captured.layout)
        _dump(place / "bundle.signature.json", bundle_signature(model_signature, taken, identity, onnx))
        _dump(place / "bundle.golden.json", bundle_golden(taken, answers))
    refused = json_rows(edges[~good], columns)
    _dump(place / "refused.json", refused)
    return {
        "task": task, "raw": raw_signature.as_dict(), "model": model_signature.as_dict(), "identity": identity,
        "engine": engine, "engine_reason": reason, "onnx": onnx, "trusted_types": list(trusted), "carried": carried,
        "retrained": difference, "golden": len(golden), "edge": int(good.sum()), "refused": len(refused),
        "tolerance": {"absolute": allowed.absolute, "relative": allowed.relative, "why": allowed.why}, "problems": problems,
        "class": _class_name(estimator), "state": describe_state(root, package) if (model_dir / "state").is_dir() else [],
    }  # fmt: skip


def _identity(build: Any, rows: pd.DataFrame, model_frame: pd.DataFrame, layout: str) -> bool:
    """True when the features are columns of the raw row, unchanged: ONNX can be fed from the request by name."""
    from jupyter_mlops.workflows.captured import _cells_equal

    if layout == "array":
        return False
    if layout == "series":
        return False
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
