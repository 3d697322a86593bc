"""MLflow's autologging for the time of a cell."""

from __future__ import annotations

from typing import Any

__all__ = ["Autologging"]

_HOW = {
    # A conversion registers models; logging one here would have pip find out its requirements for half a minute.
    "log_models": False, "log_datasets": False, "log_input_examples": False, "silent": True,
}  # fmt: skip
_OWN = "mlflow"  # the entry of `mlflow.autolog` itself


def _is_ours(config: Any) -> bool:
    return bool(config) and all(config.get(name, value) == value for name, value in _HOW.items())


class Autologging:
    """Switches autologging on for a cell and off behind it, unless the notebook has a setting of its own.

    Setting a library up costs 0.2 s for scikit-learn. It is done once; from then on only its `disable` entry is changed.
    """

    def __init__(self) -> None:
        self._ours: set[str] = set()
        self._warning: tuple[Any, ...] | None = None

    def start(self) -> bool:
        """Switch it on. False where the notebook has switched it on itself: that stays as it is."""
        import mlflow
        from mlflow.utils.autologging_utils import AUTOLOGGING_INTEGRATIONS

        if any(config and not config.get("disable", True) for config in AUTOLOGGING_INTEGRATIONS.values()):
            return False
        # What the notebook has set up in another way since, and switched off again, is set up anew.
        self._ours = {name for name in self._ours if _is_ours(AUTOLOGGING_INTEGRATIONS.get(name))}
        mlflow.autolog(**_HOW, exclude_flavors=sorted(self._ours - {_OWN}))
        for name in self._ours:
            AUTOLOGGING_INTEGRATIONS[name]["disable"] = False
        self._hide_warning()
        return True

    def stop(self) -> None:
        """Switch off what `start` has switched on, and what was imported since; what the cell itself has switched on stays."""
        import mlflow
        from mlflow.utils.autologging_utils import AUTOLOGGING_INTEGRATIONS

        running = {name for name, config in AUTOLOGGING_INTEGRATIONS.items() if config and not config.get("disable", True)}
        ours = {name for name in running if _is_ours(AUTOLOGGING_INTEGRATIONS[name])}
        theirs = running - ours
        self._ours = (self._ours | ours) - theirs
        if _OWN not in theirs:
            # What is imported between tracked cells is set up as switched off.
            mlflow.autolog(disable=True, silent=True, exclude_flavors=sorted((self._ours | theirs) - {_OWN}))
        for name in self._ours:
            AUTOLOGGING_INTEGRATIONS[name]["disable"] = True
        self._show_warning()

    def _hide_warning(self) -> None:
        """MLflow calls log_loss by a name that scikit-learn is about to drop; that is no news for the notebook."""
        import warnings

        warnings.filterwarnings("ignore", "`y_pred` was renamed to `y_proba`", FutureWarning)
        self._warning = tuple(warnings.filters[0])

    def _show_warning(self) -> None:
        import warnings

        if self._warning in warnings.filters:
            warnings.filters.remove(self._warning)  # type: ignore[attr-defined]
        self._warning = None
