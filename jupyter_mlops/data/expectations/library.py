"""Great Expectations, reached in one place: its classes by snake_case name, and one quiet context for the process."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import MissingPackageError, UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["arguments_of", "class_of", "closest", "quiet", "run_suite", "signature_text"]

# What every expectation takes besides its own arguments.
_COMMON = frozenset(
    """id meta notes result_format description catch_exceptions rendered_content severity windows batch_id mostly
    row_condition condition_parser library_metadata""".split()
)
_LOCK = threading.Lock()


@contextmanager
def quiet() -> Iterator[None]:
    """Warnings of the library and of pandas beneath it are not the user's concern."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache
def _library() -> Any:
    # Read when the library is imported; versions that report their use would do so over the network.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with quiet():
        try:
            import great_expectations
        except ImportError as error:
            raise MissingPackageError(
                "Great Expectations is not installed here. Install it: pip install 'jupyter-mlops[data]'"
            ) from error
    return great_expectations


def _registered() -> dict[str, Any]:
    """Classes by name, those that a notebook defined itself included."""
    _library()
    from great_expectations.expectations import registry

    found: dict[str, Any] = registry._registered_expectations
    return found


def closest(name: str) -> str:
    """The name that was most likely meant, "" when none is near."""
    near = get_close_matches(name, _registered(), n=1, cutoff=0.6)
    return near[0] if near else ""


def class_of(name: str) -> Any:
    """The class of an expectation.

    Raises
    ------
    UsageError
        There is none of this name.
    """
    found = _registered().get(name)
    if found is None or not name.startswith("expect_"):
        near = closest(name)
        hint = (
            f"Did you mean {near}?"
            if near
            else "docs.greatexpectations.io lists them; a class of your own must be defined before."
        )
        raise UsageError(f"There is no expectation {name}. {hint}")
    return found


def arguments_of(kind: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Names of an expectation's arguments by position, and the defaults of those that may be left out.

    The order is Great Expectations' own (`args_keys`); what it does not name follows as the class declares it.
    """
    fields = {name: field for name, field in kind.__fields__.items() if name not in _COMMON}
    first = [name for name in getattr(kind, "args_keys", ()) if name in fields]
    order = (*first, *(name for name in fields if name not in first))
    return order, {name: fields[name].default for name in order if not fields[name].required}


def signature_text(name: str, kind: Any) -> str:
    """The call as it may be written."""
    order, defaults = arguments_of(kind)
    # Required arguments may follow optional ones in the library's order; they are shown where they stand.
    shown = [one if one not in defaults else f"{one}={defaults[one]!r}" for one in order]
    extra = ["mostly=1"] if "mostly" in kind.__fields__ else []
    return f"{name}({', '.join([*shown, *extra])}, severity='critical')"


@cache
def _batches() -> tuple[Any, Any, Any]:
    """Context, data source and batch definition, made once."""
    gx = _library()
    from great_expectations.data_context.types.base import ProgressBarsConfig

    with quiet():
        context = gx.get_context(mode="ephemeral")
        if hasattr(context, "enable_analytics"):
            context.enable_analytics(False)
        context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
        source = context.data_sources.add_pandas("notebook")
        definition = source.add_dataframe_asset("frame").add_batch_definition_whole_dataframe("whole")
    return context, source, definition


def run_suite(frame: pd.DataFrame, expectations: list[Any], name: str) -> list[Any]:
    """Validate a frame and return the library's results in the order of the expectations.

    Parameters
    ----------
    expectations
        Instances; each has ``{"at": position}`` as its `meta`, since the library returns results in an order of its own.
    """
    gx = _library()
    with _LOCK, quiet():
        _, source, definition = _batches()
        suite = gx.ExpectationSuite(name=name, expectations=expectations)
        try:
            results = definition.get_batch({"dataframe": frame}).validate(suite, result_format="BASIC").results
        finally:
            # The engine would keep the frame alive until the next call.
            engine = source.get_execution_engine()
            engine.batch_manager.reset_batch_cache()
            engine.batch_manager.batch_data_cache.clear()
    placed: list[Any] = [None] * len(expectations)
    for result in results:
        placed[result.expectation_config.meta["at"]] = result
    return placed
