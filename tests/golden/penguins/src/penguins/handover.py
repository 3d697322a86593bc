"""Values between the stages of dvc.yaml: written by one process, read by the next exactly as they were.

A value is a folder with ``value.json``, in which arrays (``.npy``) and fitted estimators (``.skops``) are named. Nothing
is pickled; what has no safe form is refused.
"""

from __future__ import annotations

import datetime
import json
import random
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse

from penguins.persist import load_model, save_model

STAGES_DIR = Path(__file__).resolve().parents[2] / "stages"


class Handover:
    """The files of one stage; the random generators go on where the stage before left them."""

    def __init__(
        self, name: str, previous: str | None, seed: int, folder: Path | None = None
    ) -> None:
        self.name, self.previous, self.seed = name, previous, seed
        self.folder = folder or STAGES_DIR
        self.partial = self.folder / f".{name}.partial"
        self.metrics: dict[str, float] = {}

    def __enter__(self) -> Handover:
        if self.previous is None:
            random.seed(self.seed)
            np.random.seed(self.seed)
        else:
            before = self.folder / self.previous / "random.json"
            if not before.is_file():
                raise FileNotFoundError(
                    f"stage {self.name!r} comes after {self.previous!r}, whose files are not in {self.folder}: run `dvc repro`"
                )
            _restore_random(json.loads(before.read_text(encoding="utf-8")))
        shutil.rmtree(self.partial, ignore_errors=True)
        self.partial.mkdir(parents=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            (self.partial / "random.json").write_text(
                json.dumps(_random_state()) + "\n", encoding="utf-8"
            )
            (self.partial / "metrics.json").write_text(
                json.dumps(self.metrics) + "\n", encoding="utf-8"
            )
            target = self.folder / self.name
            shutil.rmtree(target, ignore_errors=True)
            self.partial.rename(target)
        else:
            shutil.rmtree(self.partial, ignore_errors=True)

    def take(self, stage: str, name: str) -> Any:
        """A value that an earlier stage gave."""
        return read(self.folder / stage / name)

    def give(self, **values: Any) -> None:
        """Write values for later stages."""
        for name, value in values.items():
            try:
                write(value, self.partial / name)
            except TypeError as error:
                raise TypeError(
                    f"stage {self.name!r} cannot hand over {name!r}: {error}. Let one function of stages.py run both stages"
                ) from error

    def measured(self, stage: str) -> dict[str, float]:
        """The metrics of an earlier stage."""
        found: dict[str, float] = json.loads(
            (self.folder / stage / "metrics.json").read_text(encoding="utf-8")
        )
        return found


def write(value: Any, folder: Path) -> None:
    """Write a value into a new folder.

    Raises
    ------
    TypeError
        It has no safe form.
    """
    folder.mkdir(parents=True)
    (folder / "value.json").write_text(
        json.dumps(_Writer(folder).encode(value)) + "\n", encoding="utf-8"
    )


def read(folder: Path) -> Any:
    """Read what `write` wrote."""
    return _decode(json.loads((folder / "value.json").read_text(encoding="utf-8")), folder)


def _random_state() -> dict[str, Any]:
    version, internal, gauss = random.getstate()
    kind, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    return {
        "python": [version, list(internal), gauss],
        "numpy": [kind, np.asarray(keys).tolist(), position, has_gauss, cached],
    }


def _restore_random(state: dict[str, Any]) -> None:
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    kind, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), position, has_gauss, cached))


class _Writer:
    """One value; arrays and estimators go into files of their own beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files = folder, 0

    def _file(self, ending: str) -> Path:
        self.files += 1
        return self.folder / f"{self.files}{ending}"

    def encode(self, value: Any) -> Any:
        """JSON of a value: plain ones as they are, others as an object with their kind."""
        if value is None or type(value) in (bool, int, float, str):
            return value
        if isinstance(value, np.ndarray | np.generic):
            return self.array(value)
        if isinstance(
            value,
            pd.DataFrame
            | pd.Series
            | pd.Index
            | pd.api.extensions.ExtensionArray
            | pd.CategoricalDtype,
        ):
            return self.pandas(value)
        if type(value) is dict:
            return {
                "kind": "dict",
                "items": [[self.encode(k), self.encode(v)] for k, v in value.items()],
            }
        if type(value) in (list, tuple, set, frozenset):
            # As they iterate: sets of strings have another order in each process, which would change what does not change.
            items = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
            return {"kind": type(value).__name__, "items": [self.encode(one) for one in items]}
        if value is pd.NaT or value is pd.NA:
            return {"kind": "NaT" if value is pd.NaT else "NA"}
        if isinstance(value, pd.Timestamp):
            return {
                "kind": "time",
                "value": int(value.asm8.astype(np.int64)),
                "unit": value.unit,
                "zone": _zone(value.tz),
            }
        if isinstance(value, pd.Timedelta):
            return {
                "kind": "duration",
                "value": int(value.asm8.astype(np.int64)),
                "unit": value.unit,
            }
        if isinstance(value, pd.Interval):
            return {
                "kind": "interval",
                "ends": [self.encode(value.left), self.encode(value.right)],
                "closed": value.closed,
            }
        if (
            type(value) in (datetime.date, datetime.datetime)
            and getattr(value, "tzinfo", None) is None
        ):
            return {"kind": type(value).__name__, "value": value.isoformat()}
        if type(value) is datetime.timedelta:
            return {"kind": "timedelta", "value": [value.days, value.seconds, value.microseconds]}
        if scipy.sparse.issparse(value):
            file = self._file(".npz")
            scipy.sparse.save_npz(file, value, compressed=False)
            return {"kind": "sparse", "file": file.name}
        if hasattr(value, "get_params") and not isinstance(value, type):
            return {"kind": "estimator", "file": save_model(value, self._file(".skops")).name}
        raise TypeError(
            f"{type(value).__module__}.{type(value).__qualname__} has no safe file format"
        )

    def array(self, value: Any) -> dict[str, Any]:
        """An array or scalar of numpy."""
        scalar = isinstance(value, np.generic)
        if (
            type(value) is not np.ndarray
            and not scalar
            or value.dtype.hasobject
            and value.dtype != object
        ):
            raise TypeError(f"{type(value).__qualname__} of {value.dtype} has no safe file format")
        if value.dtype == object:
            return {
                "kind": "objects",
                "shape": list(value.shape),
                "items": [self.encode(one) for one in value.ravel().tolist()],
            }
        file = self._file(".npy")
        np.save(file, value, allow_pickle=False)
        return {"kind": "scalar" if scalar else "array", "file": file.name}

    def pandas(self, value: Any) -> dict[str, Any]:
        """Frames, series, indexes and what they hold."""
        match value:
            case pd.DataFrame():
                columns = [self.encode(value.iloc[:, at].array) for at in range(value.shape[1])]
                return {
                    "kind": "frame",
                    "columns": self.encode(value.columns),
                    "index": self.encode(value.index),
                    "data": columns,
                }
            case pd.Series():
                named = {"index": self.encode(value.index), "name": self.encode(value.name)}
                return {"kind": "series", "data": self.encode(value.array), **named}
            case pd.MultiIndex():
                levels = [self.encode(level) for level in value.levels]
                codes = [self.encode(np.asarray(code)) for code in value.codes]
                return {
                    "kind": "multiindex",
                    "levels": levels,
                    "codes": codes,
                    "names": self.encode(list(value.names)),
                }
            case pd.RangeIndex():
                return {
                    "kind": "range",
                    "range": [value.start, value.stop, value.step],
                    "name": self.encode(value.name),
                }
            case pd.Index():
                every = (
                    getattr(value, "freqstr", None)
                    if isinstance(value, pd.DatetimeIndex | pd.TimedeltaIndex)
                    else None
                )
                return {
                    "kind": "index",
                    "data": self.encode(value.array),
                    "name": self.encode(value.name),
                    "every": every,
                }
            case pd.CategoricalDtype():
                return {
                    "kind": "levels",
                    "levels": self.encode(value.categories),
                    "ordered": bool(value.ordered),
                }
            case pd.Categorical():
                return {
                    "kind": "categories",
                    "codes": self.encode(np.asarray(value.codes)),
                    "of": self.encode(value.dtype),
                }
            case pd.arrays.IntervalArray():
                ends = [self.encode(value.left), self.encode(value.right)]
                return {"kind": "intervals", "ends": ends, "closed": value.closed}
            case _ if isinstance(value.dtype, pd.StringDtype):
                texts = [None if one is pd.NA or one != one else str(one) for one in value.tolist()]
                nan = value.dtype.na_value is not pd.NA
                return {"kind": "texts", "items": texts, "storage": value.dtype.storage, "nan": nan}
            case pd.arrays.NumpyExtensionArray():
                return {"kind": "plain", "data": self.encode(value.to_numpy())}
            case pd.arrays.DatetimeArray():
                return {
                    "kind": "times",
                    "data": self.encode(value.asi8),
                    "unit": value.unit,
                    "zone": _zone(value.tz),
                }
            case pd.arrays.TimedeltaArray():
                return {"kind": "durations", "data": self.encode(value.asi8), "unit": value.unit}
            case pd.arrays.PeriodArray():
                return {"kind": "periods", "data": self.encode(value.asi8), "every": value.freqstr}
            case pd.arrays.IntegerArray() | pd.arrays.FloatingArray() | pd.arrays.BooleanArray():
                empty = np.asarray(value.isna())
                data = value.to_numpy(
                    dtype=value.dtype.numpy_dtype, na_value=value.dtype.numpy_dtype.type(0)
                )
                return {
                    "kind": "masked",
                    "data": self.encode(data),
                    "mask": self.encode(empty),
                    "dtype": str(value.dtype),
                }
            case pd.arrays.SparseArray():
                return {
                    "kind": "sparsearray",
                    "data": self.encode(np.asarray(value)),
                    "dtype": str(value.dtype),
                }
        raise TypeError(f"a column of {value.dtype} has no safe file format")


def _zone(zone: Any) -> str | None:
    if zone is None:
        return None
    name = str(zone)
    try:
        pd.Timestamp(0, tz=name)
    except Exception:
        raise TypeError(f"the time zone {name} has no name that can be read back") from None
    return name


def _decode(data: Any, folder: Path) -> Any:
    if not isinstance(data, dict):
        return data

    def part(name: str) -> Any:
        return _decode(data[name], folder)

    def parts(name: str) -> list[Any]:
        return [_decode(one, folder) for one in data[name]]

    match data["kind"]:
        case "dict":
            return {_decode(k, folder): _decode(v, folder) for k, v in data["items"]}
        case "list":
            return parts("items")
        case "tuple":
            return tuple(parts("items"))
        case "set":
            return set(parts("items"))
        case "frozenset":
            return frozenset(parts("items"))
        case "NaT":
            return pd.NaT
        case "NA":
            return pd.NA
        case "time":
            found = pd.Timestamp(np.datetime64(data["value"], data["unit"]))
            return (
                found if data["zone"] is None else found.tz_localize("UTC").tz_convert(data["zone"])
            )
        case "duration":
            return pd.Timedelta(np.timedelta64(data["value"], data["unit"]))
        case "interval":
            left, right = parts("ends")
            return pd.Interval(left, right, closed=data["closed"])
        case "date":
            return datetime.date.fromisoformat(data["value"])
        case "datetime":
            return datetime.datetime.fromisoformat(data["value"])
        case "timedelta":
            days, seconds, microseconds = data["value"]
            return datetime.timedelta(days, seconds, microseconds)
        case "sparse":
            return scipy.sparse.load_npz(folder / data["file"])
        case "estimator":
            return load_model(folder / data["file"])
        case "array":
            return np.load(folder / data["file"], allow_pickle=False)
        case "scalar":
            return np.load(folder / data["file"], allow_pickle=False)[()]
        case "objects":
            items = np.empty(len(data["items"]), dtype=object)
            for at, one in enumerate(data["items"]):
                items[at] = _decode(one, folder)
            return items.reshape(data["shape"])
    return _pandas(data, part, parts)


def _pandas(data: dict[str, Any], part: Any, parts: Any) -> Any:
    match data["kind"]:
        case "frame":
            index = part("index")
            # Numbered first, then named: names may be there twice.
            frame = pd.DataFrame(dict(enumerate(parts("data"))), index=index)
            return frame.set_axis(part("columns"), axis=1)
        case "series":
            return pd.Series(part("data"), index=part("index"), name=part("name"))
        case "multiindex":
            return pd.MultiIndex(levels=parts("levels"), codes=parts("codes"), names=part("names"))
        case "range":
            return pd.RangeIndex(*data["range"], name=part("name"))
        case "index":
            array = part("data")
            index = pd.Index(array, dtype=array.dtype, name=part("name"))
            if data["every"] is not None and isinstance(
                index, pd.DatetimeIndex | pd.TimedeltaIndex
            ):
                index.freq = data["every"]
            return index
        case "levels":
            return pd.CategoricalDtype(part("levels"), data["ordered"])
        case "categories":
            return pd.Categorical.from_codes(part("codes"), dtype=part("of"))
        case "intervals":
            left, right = parts("ends")
            return pd.arrays.IntervalArray.from_arrays(left, right, closed=data["closed"])
        case "plain":
            return part("data")
        case "times":
            times = pd.DatetimeIndex(part("data").view(f"M8[{data['unit']}]"))
            return (
                times if data["zone"] is None else times.tz_localize("UTC").tz_convert(data["zone"])
            ).array
        case "durations":
            return pd.TimedeltaIndex(part("data").view(f"m8[{data['unit']}]")).array
        case "periods":
            return pd.PeriodIndex.from_ordinals(part("data"), freq=data["every"]).array
        case "masked":
            array = pd.array(part("data"), dtype=data["dtype"])
            array[part("mask")] = pd.NA
            return array
        case "texts":
            dtype = pd.StringDtype(data["storage"], na_value=np.nan if data["nan"] else pd.NA)
            return pd.array(data["items"], dtype=dtype)
        case "sparsearray":
            return pd.arrays.SparseArray(part("data"), dtype=data["dtype"])
    raise ValueError(f"unknown kind of value {data['kind']!r}")
