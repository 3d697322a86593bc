"""Questions to Prometheus about what the services count themselves.

They ask by the labels `namespace` and `pod`, which Prometheus' usual configurations for Kubernetes add, and by the services' own
`model_version`.
"""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_mlops.deploy.cluster.spec import Analysis, ClusterSpec

__all__ = ["RATIOS", "Pods"]

RATIOS = (1.5, 2.0, 3.0, 5.0)  # of the canary's error rate to the stable one's, as in `promotion.verdicts.error_rate`
_ERRORS = 'status=~"5.."'  # a refused row is the caller's fault


@dataclass(frozen=True)
class Pods:
    """The pods that the ReplicaSets of a workload make.

    Parameters
    ----------
    workload
        Name of the Deployment or Rollout.
    version
        Of the canary among them.
    """

    namespace: str
    workload: str
    version: str = ""

    @classmethod
    def of(cls, spec: ClusterSpec, workload: str, version: str = "") -> Pods:
        """Of a workload of a spec."""
        return cls(spec.namespace, workload, version)

    def queue(self) -> str:
        """Requests that wait for the model, on average of the last minute, in all pods together."""
        return f"sum(avg_over_time({self._all('service_queue_depth')}[1m]))"

    def requests(self) -> str:
        """That the canary's pods have answered so far."""
        return f"sum({self._canary('service_requests_total')}) or vector(0)"

    def evidence(self, analysis: Analysis) -> str:
        """Against an equal error rate of both versions: the e-value of the errors in a window.

        Of m errors in all, k are the canary's, which has the share w of the requests: the mean over the ratios r, each with r
        as its weight, of r^k / (1 + (r - 1) w)^m. When the rates are equal, it reaches 1 / a in at most the part a of windows.
        NaN where nothing was asked.
        """
        window = f"[{analysis.window}s]"
        errors = f"sum(increase({self._canary('service_requests_total', _ERRORS)}{window})) or vector(0)"
        total = f"sum(increase({self._all('service_requests_total', _ERRORS)}{window})) or vector(0)"
        share = (
            f"sum(increase({self._canary('service_requests_total')}{window}))"
            f" / sum(increase({self._all('service_requests_total')}{window}))"
        )
        ratios = "(" + " or ".join(f'label_replace(vector({r:g}), "ratio", "{r:g}", "", "")' for r in RATIOS) + ")"
        return (
            f"sum(exp(\n  ln({ratios})\n  * (1 + scalar({errors}))\n"
            f"  - ln(1 + ({ratios} - 1)\n  * scalar({share}))\n  * scalar({total})\n)) / {sum(RATIOS):g}\n"
        )

    def latency(self, analysis: Analysis) -> str:
        """The canary's 95th percentile as a multiple of the stable one's: the least of some looks in a row.

        Nothing comes out where one of them had too few requests.
        """
        window = f"[{analysis.window}s]"
        sides = (self._canary, self._stable)
        quantiles = [
            f"histogram_quantile(0.95, sum by (le) (rate({side('service_request_seconds_bucket')}{window})))" for side in sides
        ]
        enough = [
            f"sum(increase({side('service_request_seconds_count')}{window})) >= {analysis.latency_requests}" for side in sides
        ]
        one = f"(\n    {quantiles[0]}\n    / {quantiles[1]}\n    and {enough[0]}\n    and {enough[1]}\n  )"
        looks = f"{one}[{analysis.latency_looks * analysis.look}s:{analysis.look}s]"
        return f"min_over_time(\n  {looks}\n)\nand count_over_time(\n  {looks}\n) >= {analysis.latency_looks}\n"

    def _all(self, metric: str, *more: str) -> str:
        # A pod is named after its ReplicaSet, and that after the workload: another workload of a longer name does not match.
        matchers = [f'namespace="{self.namespace}"', f'pod=~"{self.workload}-[a-z0-9]+-[a-z0-9]+"', *more]
        return f"{metric}{{{','.join(matchers)}}}"

    def _canary(self, metric: str, *more: str) -> str:
        return self._all(metric, f'model_version="{self.version}"', *more)

    def _stable(self, metric: str, *more: str) -> str:
        return self._all(metric, f'model_version!="{self.version}"', *more)
