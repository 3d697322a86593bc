"""Every exception that jupyter-mlops raises on purpose.

Problems found *in a user's notebook* are values (`jupyter_mlops.notebook.problems.Problem`), collected and shown
together. The exceptions here are for what the caller did wrong or the environment lacks; each message ends with what
to do next.

    MlopsError
    ├── UsageError              the call itself is wrong (exit code 2)
    │   ├── NotebookError       not a notebook that can be read: no JSON, too old, another language
    │   ├── ParameterError      -p names an unknown parameter, or a value of another type
    │   ├── OutputError         the output folder cannot be replaced or written
    │   │   └── EditedError     it holds a user's edits
    │   ├── ConflictError       the same is being done already
    │   └── NotFoundError       what is asked for by its id is not there (any more)
    ├── EnvironmentLackError    a package, kernel, disk space or server is missing (exit code 2)
    │   ├── MissingPackageError
    │   ├── KernelError         the notebook's kernel could not be started or died
    │   ├── NotReadyError       a version's service did not start
    │   └── TrackingError       the MLflow tracking server does not answer
    ├── ForbiddenError          the policy does not let this user decide (exit code 1)
    ├── ValidationFailed        a table breaks critical expectations (exit code 1)
    └── ConversionError         the notebook was read but cannot be converted as it stands (exit code 1)
        ├── CellFailedError     a cell raised while the notebook ran
        ├── ExportError         an artefact could not be made
        └── ParityError         package, service or bundle predict something else than the notebook
"""

from __future__ import annotations

__all__ = [
    "CellFailedError",
    "ConflictError",
    "ConversionError",
    "DataError",
    "EditedError",
    "EnvironmentLackError",
    "ExportError",
    "ForbiddenError",
    "KernelError",
    "MissingPackageError",
    "MlopsError",
    "NotFoundError",
    "NotReadyError",
    "NotebookError",
    "OutputError",
    "ParameterError",
    "ParityError",
    "TrackingError",
    "UsageError",
    "ValidationFailed",
]


class MlopsError(Exception):
    """Root of all errors of this package.

    `code` names the error where its class cannot go: to the browser, and into the table of jobs. `exit_code` is what the
    command line ends with.
    """

    code = "failed"
    exit_code = 1


class UsageError(MlopsError):
    """The call is wrong."""

    code = "usage"
    exit_code = 2


class NotebookError(UsageError):
    """The file is not a notebook that can be read."""

    code = "notebook"


class ParameterError(UsageError):
    """A parameter is unknown to the notebook, or its value has another type."""

    code = "parameter"


class OutputError(UsageError):
    """The output folder cannot be replaced or written."""

    code = "output"


class EditedError(OutputError):
    """The project in the output folder was edited since it was made."""

    code = "edited"


class ConflictError(UsageError):
    """The same is being done already."""

    code = "conflict"


class NotFoundError(UsageError):
    """What is asked for by its id is not there, or no longer."""

    code = "not-found"


class EnvironmentLackError(MlopsError):
    """Something outside the notebook is missing."""

    code = "environment"
    exit_code = 2


class MissingPackageError(EnvironmentLackError):
    """A Python package is not installed."""

    code = "missing-package"


class KernelError(EnvironmentLackError):
    """The notebook's kernel could not be started, or died."""

    code = "kernel"


class DataError(EnvironmentLackError):
    """DVC, or the place that it keeps data in, said no."""

    code = "data"


class TrackingError(EnvironmentLackError):
    """The MLflow tracking server does not answer."""

    code = "tracking"


class NotReadyError(EnvironmentLackError):
    """The service of a version did not start."""

    code = "not-ready"


class ForbiddenError(MlopsError):
    """The policy does not let this user decide."""

    code = "forbidden"


class ValidationFailed(MlopsError):
    """A table breaks critical expectations; the message is a bounded table of them."""

    code = "validation"

    def _render_traceback_(self) -> list[str]:
        """What IPython shows: the table. Where it was raised is the cell itself."""
        return [f"{type(self).__name__}: {self}"]


class ConversionError(MlopsError):
    """The notebook was read but cannot be converted as it stands."""

    code = "conversion"


class CellFailedError(ConversionError):
    """A cell raised while the notebook ran."""

    code = "cell-failed"


class ExportError(ConversionError):
    """An artefact of the conversion could not be made."""

    code = "export"


class ParityError(ConversionError):
    """Package, service or bundle do not predict what the notebook predicted."""

    code = "parity"
