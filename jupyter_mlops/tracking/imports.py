"""MLflow's imports, made so that its calls may run in several threads.

MLflow's autologging watches imports with a lock of its own, and Python 3.11 looks for a module with its import lock held:
a thread that looks for a module while another one sets autologging up waits for it, and is waited for, for ever. So all
that a delivery imports is imported before there are threads, and the module that MLflow looks for in vain at each request
is marked as missing, which needs no look.
"""

from __future__ import annotations

import os
import sys
import warnings
from functools import cache
from importlib.util import find_spec

__all__ = ["import_mlflow"]


@cache
def import_mlflow() -> None:
    """Import MLflow, and what its client and its artifact stores import later; in the main thread, before any other uses it."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    import mimetypes  # noqa: F401
    import posixpath  # noqa: F401

    import mlflow.store.artifact.http_artifact_repo
    import mlflow.store.artifact.local_artifact_repo
    import mlflow.store.artifact.mlflow_artifacts_repo
    import mlflow.tracking.fluent
    import mlflow.tracking.request_header.registry
    import mlflow.utils.rest_utils  # noqa: F401

    # Feast, which MLflow imports where it is installed, has every deprecation shown; this one is MLflow's own affair.
    warnings.filterwarnings("ignore", "The ``noload`` loader strategy", DeprecationWarning)
    if find_spec("dbruntime") is None:
        missing: dict[str, object] = {"dbruntime": None, "dbruntime.databricks_repl_context": None}
        sys.modules.update(missing)  # type: ignore[arg-type]
