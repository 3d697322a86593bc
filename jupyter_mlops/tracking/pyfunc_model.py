"""The registered model, as MLflow runs it: raw rows in, what the package predicts out."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext


class ProjectModel(PythonModel):
    """Predicts with the package of the project that the model was made by."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the fitted model with skops, and the state of the features where they learned something."""
        package = context.model_config["package"]
        folder = Path(context.artifacts["model"])
        self._predict = import_module(f"{package}.predict")
        self._model = self._predict.load_model(folder / "model.skops")
        self._more: dict[str, Any] = {}
        if (folder / "state").is_dir():
            self._more["state"] = import_module(f"{package}.state").FeatureState.load(folder / "state")

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Column ``prediction`` and, for classifiers, ``probability_<class>``."""
        answers: pd.DataFrame = self._predict.predict(model_input, self._model, **self._more)
        return answers


set_model(ProjectModel())
