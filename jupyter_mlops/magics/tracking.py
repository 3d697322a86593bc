"""How `%%track` gets around a cell without changing what it does.

The first line of a tracked cell is replaced by a call that begins the run; the rest is run by IPython as any other cell,
so results, displays, tracebacks with their line numbers, interrupts and top-level ``await`` are as they would be. IPython
says when a cell has ended: then the run is ended too.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from jupyter_mlops.errors import MlopsError
from jupyter_mlops.magics.arguments import HelpShown, parse, track_parser

if TYPE_CHECKING:
    from jupyter_mlops.magics.displays import Displays
    from jupyter_mlops.widgets.card import LiveCard
    from jupyter_mlops.workflows.track import TrackedCell, TrackSession
    from jupyter_mlops.workflows.validate import Validation

__all__ = ["Tracking"]

_FIRST = re.compile(r"%%track(?:[ \t]+(?P<line>.*?))?[ \t]*\r?\n?$")
_LEADING = re.compile(r"\A(?:[ \t]*\r?\n)+")
_AROUND = re.compile(r"%%(?:time|timeit|capture|prun)\b.*$")
_OFF = "JUPYTER_MLOPS_TRACKING"


class Tracking:
    """The tracked cells of one shell."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self._session: TrackSession | None = None
        self._depth = 0  # cells that run inside of one another, as with %run
        self._current: _Current | None = None
        self._leaving = False
        self._parameters: dict[str, None] = {}  # names of the `parameters` cells that were run

    @property
    def session(self) -> TrackSession:
        """Defaults and memory; made when it is first needed, so that loading the extension stays quick."""
        if self._session is None:
            from jupyter_mlops.workflows.track import TrackSession

            self._session = TrackSession()
        return self._session

    @property
    def current(self) -> TrackedCell | None:
        """The tracked cell that runs now."""
        return self._current.cell if self._current is not None else None

    @property
    def is_off(self) -> bool:
        """Whether a conversion runs the notebook: that is no experiment."""
        return os.environ.get(_OFF, "").lower() in ("off", "0", "false")

    def note_validation(self, found: Validation) -> None:
        """Keep a validation for the run of this cell, or for the next one."""
        self.session.note_validation(found.suite, found.success, found.as_dict())

    def install(self) -> None:
        """Begin to listen to the shell."""
        self.shell.input_transformers_cleanup.insert(0, self.transform)
        self.shell.events.register("pre_run_cell", self._before)
        self.shell.events.register("post_run_cell", self._after)

    def uninstall(self) -> None:
        """Leave the shell as it was."""
        self.shell.input_transformers_cleanup.remove(self.transform)
        self.shell.events.unregister("pre_run_cell", self._before)
        self._leaving = self._current is not None  # the cell that takes the extension away is tracked itself
        if not self._leaving:
            self.shell.events.unregister("post_run_cell", self._after)

    # -- around the cell ------------------------------------------------------------------------------------------------

    def transform(self, lines: list[str]) -> list[str]:
        """Put the call that begins the run in place of ``%%track``, in the same line."""
        first = next((n for n, line in enumerate(lines) if line.strip()), None)
        if first is None:
            return lines
        if _AROUND.match(lines[first].rstrip()) and first + 1 < len(lines) and _FIRST.match(lines[first + 1]):
            # As a magic inside of that one, the cell's exceptions would end there.
            lines = [*lines[:first], lines[first + 1], lines[first], *lines[first + 2 :]]
        found = _FIRST.match(lines[first])
        if found is None:
            return lines
        line = found["line"] or ""
        parser = track_parser()
        parser.quiet = True
        try:
            parse(parser, line)
        except (UsageError, HelpShown, SystemExit):
            return lines  # the magic of that name says what is wrong, or helps
        call = f"get_ipython().run_line_magic('_track', {line!r})\n"
        rest = lines[first + 1 :]
        if next((one for one in rest if one.strip()), "").startswith("%%"):
            # Another cell magic: it has to be the first line of what is transformed.
            inner = self.shell.transform_cell("".join(rest).lstrip("\n"))
            return [*lines[:first], call, *inner.splitlines(keepends=True)]
        return [*lines[:first], call, *rest]

    def begin(self, line: str) -> None:
        """Begin the run of the cell that runs now."""
        if self.is_off:
            return
        from jupyter_mlops.magics.displays import Displays, settle_figures
        from jupyter_mlops.widgets.card import LiveCard
        from jupyter_mlops.workflows.surroundings import find_notebook
        from jupyter_mlops.workflows.track import TrackedCell, TrackOptions

        if self._current is not None:
            raise UsageError("%%track: this cell is being tracked already.")
        given = parse(track_parser(), line)
        options = TrackOptions(
            name=given.name, experiment=given.experiment, metrics=tuple(given.metric), tags=dict(given.tag), data=tuple(given.data),
            autolog=False if given.no_autolog else None, nested=given.nested,
        )  # fmt: skip
        executed = [str(one) for one in self.shell.history_manager.input_hist_parsed]
        source = self._source if self._source is not None else (executed[-1] if executed else "")
        namespace = self.shell.user_ns
        cell = TrackedCell(
            self.session, options, source.split("\n", 1)[1] if "\n" in source else "", namespace,
            notebook=find_notebook(namespace), cell_id=self._cell_id, executed=executed, parameters=tuple(self._parameters),
        )  # fmt: skip
        settle_figures()
        try:
            cell.begin()
        except MlopsError as error:
            raise UsageError(str(error)) from None
        card = LiveCard(self.shell, cell)
        card.show()
        displays = Displays(self.shell)
        displays.__enter__()
        self._current = _Current(cell, displays, card, self._depth)

    _source: str | None = None
    _cell_id: str | None = None

    def _before(self, info: Any) -> None:
        self._depth += 1
        if self._depth == 1:
            self._source, self._cell_id = _LEADING.sub("", str(info.raw_cell)), getattr(info, "cell_id", None)
            tags = (getattr(info, "cell_meta", None) or {}).get("tags", ())
            if {"parameters", "injected-parameters"} & set(tags or ()):
                from jupyter_mlops.workflows.surroundings import bound_names

                self._parameters.update(dict.fromkeys(bound_names(self._source)))

    def _after(self, result: Any) -> None:
        depth, self._depth = self._depth, max(0, self._depth - 1)
        current = self._current
        if current is None or current.depth != depth:
            return
        self._current = None
        if self._leaving:
            self.shell.events.unregister("post_run_cell", self._after)
        from jupyter_mlops.workflows.track import CellOutcome

        error: BaseException | None = KeyboardInterrupt()  # a kernel that is interrupted has no result
        if result is not None:
            error = result.error_before_exec or result.error_in_exec
        current.displays.__exit__()
        if result is not None:
            current.displays.result(result.result)
        current.displays.open_figures()
        run = current.cell.end(CellOutcome(error, current.displays.found))
        current.card.finish(run)


class _Current:
    def __init__(self, cell: TrackedCell, displays: Displays, card: LiveCard, depth: int) -> None:
        self.cell, self.displays, self.card, self.depth = cell, displays, card, depth
