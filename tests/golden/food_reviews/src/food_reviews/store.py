"""The feature store (Feast): raw columns as they were known at a time, for training, and as they are known now, for the service.

``jupyter mlops features publish`` writes the repository. Feast takes seconds to import: only `Store` does it.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from food_reviews.schema import COLUMNS, raw_column

log = logging.getLogger(__name__)

VIEW = "food_reviews"
PREFIX = "model_"  # of the features of the on-demand view: Feast mixes their names with those of its sources
FOLDER = "FOOD_REVIEWS_FEATURE_STORE"
# Feast puts variables of the environment into its settings, passwords for example.
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_TIME, _ROW_TIME = "event_timestamp", "event_timestamp_of_row"


class Stored(NamedTuple):
    """What the online store has of an entity; `values` is None when it knows none of that name."""

    values: dict[str, Any] | None
    time: datetime | None
    stale: (
        bool  # older than the view's ttl: all values are missing, as they are in a training frame
    )


class Store:
    """A published repository.

    Parameters
    ----------
    folder
        With its ``feature_store.yaml``.

    Raises
    ------
    RuntimeError
        Feast is not installed, the folder holds no repository of this project, or its settings name a variable that is not set;
        the message says what to do.
    """

    def __init__(self, folder: Path) -> None:
        settings = folder / "feature_store.yaml"
        if not settings.is_file():
            raise RuntimeError(
                f"{folder} holds no feature_store.yaml: `jupyter mlops features publish` writes one."
            )
        lines = settings.read_text(encoding="utf-8").splitlines()
        named = {
            name
            for line in lines
            if not line.lstrip().startswith("#")
            for name in _VARIABLE.findall(line)
        }
        if unset := ", ".join(sorted(named - set(os.environ))):
            raise RuntimeError(
                f"{settings} names {unset}, which the environment does not hold: set it"
            )
        try:
            feast = importlib.import_module("feast")
        except ModuleNotFoundError as error:
            raise RuntimeError(
                f"the feature store in {folder} needs Feast ({error}): pip install feast"
            ) from None
        self._store = feast.FeatureStore(repo_path=str(folder))
        views = {view.name: view for view in self._store.list_feature_views()}
        if VIEW not in views:
            raise RuntimeError(
                f"{folder} holds no feature view {VIEW!r}: `jupyter mlops features publish` makes it."
            )
        view = views[VIEW]
        self.entity: str = view.entity_columns[0].name
        self.kind: type = str if "String" in str(view.entity_columns[0].dtype) else int
        self.timestamp: str = view.batch_source.timestamp_field
        self.columns: tuple[str, ...] = tuple(field.name for field in view.features)
        self._source = folder / view.batch_source.path
        self.ttl: timedelta | None = view.ttl or None
        # What the model takes of them; in a first training it is not known yet.
        self.served: tuple[str, ...] = tuple(name for name in self.columns if name in COLUMNS)

    def training_frame(self, events: pd.DataFrame, timestamp: str | None = None) -> pd.DataFrame:
        """See the function of this name."""
        at = timestamp or self.timestamp
        if lacking := [name for name in (self.entity, at) if name not in events.columns]:
            raise ValueError(f"the events have no column {' and no '.join(map(repr, lacking))}")
        if given := [name for name in self.columns if name in events.columns]:
            raise ValueError(
                f"the events have columns that come from the store: leave out {', '.join(given)}"
            )
        times = _utc(events[at])
        if missing := int((events[self.entity].isna().array | times.isna()).sum()):
            raise ValueError(f"{missing} events have no {self.entity} or no {at}")
        rows = self._known(
            pd.DataFrame({self.entity: self._ids(events[self.entity]), _TIME: times})
        )
        without = int(rows[_ROW_TIME].isna().sum())
        if without:
            log.warning(
                "%d of %d events have no features in the store at their time", without, len(rows)
            )
        columns = {name: _typed(name, rows[name]).set_axis(events.index) for name in self.columns}
        frame = pd.concat([events, pd.DataFrame(columns, index=events.index)], axis=1)
        if len(frame) != len(events):
            raise RuntimeError(f"{len(frame)} rows were made of {len(events)} events")
        frame.attrs["without_features"] = without
        return frame

    def read(self, keys: Sequence[Any]) -> list[Stored]:
        """What the online store has of entities now, in their order. Values are those of JSON, and datetimes."""
        answer: dict[str, list[Any]] = self._store.get_online_features(
            features=[f"{VIEW}:{name}" for name in self.served],
            entity_rows=[{self.entity: key} for key in keys],
        ).to_dict(include_event_timestamps=True)
        seconds = zip(*(answer[f"{name}__ts"] for name in self.served), strict=True)
        rows = zip(*(answer[name] for name in self.served), strict=True)
        return [self._stored(row, max(times)) for row, times in zip(rows, seconds, strict=True)]

    def _stored(self, row: Sequence[Any], seconds: int) -> Stored:
        if not seconds:
            return Stored(None, None, False)
        time = datetime.fromtimestamp(seconds, timezone.utc)
        # Feast leaves out what is too old of a training frame, but not of what it reads online.
        if self.ttl is not None and datetime.now(timezone.utc) - time > self.ttl:
            return Stored(dict.fromkeys(self.served), time, True)
        values = {
            name: _plain(value, COLUMNS[name]) for name, value in zip(self.served, row, strict=True)
        }
        return Stored(values, time, False)

    def _ids(self, ids: pd.Series) -> pd.Series:
        """Ids of events in the type that they have in the store: others would find nothing."""
        given = ids.astype(object).reset_index(drop=True)
        kind = pd.api.types.infer_dtype(given)
        if self.kind is str and kind in ("string", "empty"):
            return given
        whole = kind in ("integer", "empty") or (
            kind == "floating" and all(one.is_integer() for one in given)
        )
        if self.kind is int and whole:
            return given.astype("int64")
        wanted = "texts" if self.kind is str else "whole numbers"
        raise ValueError(
            f"in the store, {self.entity} is a column of {wanted}, and in the events one of type {kind}"
        )

    def _known(self, keys: pd.DataFrame) -> pd.DataFrame:
        """The stored columns as they were known at the times of `keys`, row by row.

        Feast's own `get_historical_features` merges rows of one entity and time, loses entities that have nothing yet, keeps no
        order, and joins each event with all rows of its entity, so that a table of a million rows fills any memory.
        """
        held = pd.read_parquet(self._source, columns=[self.entity, self.timestamp, *self.columns])
        held.insert(0, _ROW_TIME, _utc(held.pop(self.timestamp)))
        held = held.dropna(subset=[self.entity, _ROW_TIME]).sort_values(_ROW_TIME, kind="stable")
        held[self.entity] = held[self.entity].astype(object if self.kind is str else "int64")
        asked = keys.sort_values(_TIME, kind="stable")
        found = pd.merge_asof(
            asked, held, left_on=_TIME, right_on=_ROW_TIME, by=self.entity, tolerance=self.ttl
        )
        return found.set_axis(asked.index).reindex(keys.index)


def training_frame(
    events: pd.DataFrame, folder: Path | str | None = None, *, timestamp: str | None = None
) -> pd.DataFrame:
    """The raw table of a training: events, each with the stored columns as they were known at its time.

    Parameters
    ----------
    events
        One row for each row of the training: the entity's column, a time (UTC where it has no zone), and whatever is not in the
        store, such as the label.
    folder
        Of the repository; None takes the one that the variable FOOD_REVIEWS_FEATURE_STORE names.
    timestamp
        Column of `events` with the time; None takes the name that it has in the store.

    Returns
    -------
    DataFrame
        As many rows as `events`, in their order and with their index. Where an entity has nothing in the store by then, or
        nothing that is younger than the view's ttl, the values are missing: ``attrs["without_features"]`` counts such rows.

    Raises
    ------
    ValueError
        A column is missing, holds missing values, or would come from the store; or no folder is known.
    RuntimeError
        See `Store`.
    """
    place = folder or os.environ.get(FOLDER)
    if not place:
        raise ValueError(f"name the folder of the feature repository, or set {FOLDER}")
    return Store(Path(place)).training_frame(events, timestamp)


def raw_table() -> pd.DataFrame:
    """The raw table as the notebook's own cells bind it: what is published where no other source is named."""
    from food_reviews.data import load_data
    from food_reviews.settings import Settings

    settings = Settings.load()
    with (
        contextlib.chdir(settings.data_dir)
        if settings.data_dir.is_dir()
        else contextlib.nullcontext()
    ):
        reviews = load_data()
    return pd.DataFrame(reviews)


def model_input(raw: pd.DataFrame) -> pd.DataFrame:
    """The model's input for raw rows: what the repository's on-demand view calls."""
    from food_reviews.features import build_features

    rows = pd.DataFrame({name: _typed(name, raw[name]) for name in COLUMNS})
    return pd.DataFrame(build_features(rows)).add_prefix(PREFIX)


def _typed(name: str, values: pd.Series) -> pd.Series:
    """Values as Feast gives them, in the type that they have in training; as they are where the model does not take the column."""
    dtype = COLUMNS.get(name)
    if dtype is None:
        return values.reset_index(drop=True)
    plain = [
        None if missing else _plain(one, dtype)
        for one, missing in zip(values, values.isna(), strict=True)
    ]
    return raw_column(name, plain)


def _utc(times: pd.Series) -> pd.Series:
    """Times in UTC, which those without a zone are; in microseconds, whatever they come in."""
    return pd.to_datetime(times.reset_index(drop=True), utc=True).dt.as_unit("us")


def _plain(value: Any, dtype: str) -> Any:
    if isinstance(value, datetime):
        return value if "," in dtype else value.replace(tzinfo=None)
    if isinstance(value, float) and dtype.lower().startswith(("int", "uint")):
        return int(value)  # the file's column is one of floats, since it holds missing values
    return value
