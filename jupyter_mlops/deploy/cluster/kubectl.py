"""`kubectl` of this machine: whether a cluster answers it, and that it applies a folder."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from jupyter_mlops.errors import EnvironmentLackError

__all__ = ["Kubectl"]

_ANSWER, _APPLY = 20.0, 300.0  # seconds


class Kubectl:
    """The `kubectl` on PATH, with the user's own configuration.

    Parameters
    ----------
    context
        Of that configuration; None: the current one.

    Raises
    ------
    EnvironmentLackError
        There is none.
    """

    def __init__(self, context: str | None = None) -> None:
        path = shutil.which("kubectl")
        if path is None:
            raise EnvironmentLackError(
                "kubectl is not on PATH, so nothing was applied. Install it, or apply the written folder elsewhere: "
                "kubectl apply -k FOLDER."
            )
        self._context = context
        self._command = [path] if context is None else [path, f"--context={context}"]

    def cluster(self) -> str:
        """The context in use, once its cluster has answered.

        Raises
        ------
        EnvironmentLackError
            It does not.
        """
        done = self._run(["version", "--request-timeout=10s"], _ANSWER)
        if done is None or done.returncode:
            why = "no answer in time" if done is None else _last(done.stderr)
            raise EnvironmentLackError(f"No cluster answers kubectl: {why}. Choose another one (--context), or start it.")
        if self._context is not None:
            return self._context
        named = self._run(["config", "current-context"], _ANSWER)
        return named.stdout.strip() if named is not None and not named.returncode else "in-cluster"

    def apply(self, folder: Path, *, rehearse: bool) -> list[str]:
        """Apply a kustomization; what became of each manifest.

        Argo Rollouts writes into the selectors of the Services. Applied on the client's side, they keep that. On the server's side
        a selector is one owner's as a whole, so the second time would be a conflict.

        Parameters
        ----------
        rehearse
            Let the server check all of it first, so that nothing is applied in part.

        Raises
        ------
        EnvironmentLackError
            The cluster refuses.
        """
        if rehearse:
            self._applied(folder, "--dry-run=server")
        return self._applied(folder)

    def _applied(self, folder: Path, *more: str) -> list[str]:
        done = self._run(["apply", "-k", str(folder), *more], _APPLY)
        if done is not None and not done.returncode:
            return done.stdout.splitlines()
        said = "it took too long" if done is None else (done.stderr.strip() or f"exit code {done.returncode}")
        if "no matches for kind" in said:
            said += (
                "\nThe cluster does not know these kinds. Install their controllers (Argo Rollouts, KServe, KEDA), or choose "
                "another --style."
            )
        changed = "Nothing was changed" if more else "Part of it may be applied"
        raise EnvironmentLackError(f"The cluster refuses the manifests. {changed}.\n{said[-3000:]}")

    def _run(self, arguments: list[str], seconds: float) -> subprocess.CompletedProcess[str] | None:
        try:
            return subprocess.run(
                [*self._command, *arguments], capture_output=True, text=True, timeout=seconds, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None
        except OSError as error:
            raise EnvironmentLackError(f"kubectl cannot be started: {error}. Install it anew.") from None


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:500] if lines else "it does not say why"
