"""Envoy's configuration as plain data, in files that a running Envoy follows.

Bootstrap names files that are replaced by renames, which Envoy watches: clusters (CDS), the replicas of each
(EDS) and the shares of the traffic (RDS). A change never touches a connection that is open, so that no request is lost.

A version's replicas have priority 0, those of the stable version priority 1: where a version has no replica left, or the
connection to it breaks, the request is tried once more at the stable version.

References
----------
https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/api and .../intro/arch_overview/upstream/load_balancing/priority
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_mlops.deploy.files import replace_json
from jupyter_mlops.deploy.traffic import ARM_HEADER, STICKY_HEADER, Backend, Traffic

__all__ = ["ADMIN", "bootstrap", "write_backends", "write_traffic"]

ADMIN = "admin.sock"
_TYPE = "type.googleapis.com/envoy."
_CONNECT = "0.25s"
_LIMIT = 100_000  # connections, waiting requests, requests and retries of a cluster: the services have limits of their own


def bootstrap(folder: Path, host: str, port: int, *, name: str) -> dict[str, Any]:
    """What Envoy is started with.

    Parameters
    ----------
    folder
        Where the other files and the socket of the admin interface are.
    name
        Of this Envoy, in its own statistics.
    """
    return {
        # A socket in a folder of the user: who may read that may ask for statistics, nobody else. Its path is relative, since
        # that of a socket must not be longer than 107 bytes: Envoy is to be started in `folder`.
        "admin": {"address": {"pipe": {"path": f"{name}-{ADMIN}", "mode": 0o600}}},
        "node": {"id": f"{name}", "cluster": "jupyter-mlops"},
        "dynamic_resources": {"cds_config": _file(folder, "clusters.json")},
        "static_resources": {"listeners": [_listener(folder, host, port)]},
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": f"{_TYPE}extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                        "max_active_downstream_connections": _LIMIT,
                    },
                }
            ]
        },
    }


def _file(folder: Path, name: str) -> dict[str, Any]:
    path = {"path": str(folder / name), "watched_directory": {"path": str(folder)}}
    return {"path_config_source": path, "resource_api_version": "V3"}


def _listener(folder: Path, host: str, port: int) -> dict[str, Any]:
    manager = {
        "@type": f"{_TYPE}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "models",
        "rds": {"route_config_name": "models", "config_source": _file(folder, "routes.json")},
        "http_filters": [
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{_TYPE}extensions.filters.http.router.v3.Router"}}
        ],
        "server_header_transformation": "PASS_THROUGH",
        # By which a prediction is found in the log, of the version that answers and of the one in the shadow.
        "generate_request_id": True,
        "preserve_external_request_id": True,
        "always_set_request_id_in_response": True,
    }
    return {
        "name": "models",
        "address": {"socket_address": {"address": host, "port_value": port}},
        "filter_chains": [{"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}],
        # Two Envoys share the port: where one dies, the other goes on.
        "enable_reuse_port": True,
    }


def write_backends(folder: Path, backends: Sequence[Backend], stable: str) -> None:
    """Clusters and the replicas of each, for Envoys that follow this folder."""
    ports = {one.version: one.ports for one in backends}
    for one in backends:
        groups = [one.ports] if one.version == stable else [one.ports, ports.get(stable, ())]
        replicas = [
            {"priority": priority, "lb_endpoints": [_endpoint(port) for port in group]} for priority, group in enumerate(groups)
        ]
        assignment = {
            "@type": f"{_TYPE}config.endpoint.v3.ClusterLoadAssignment",
            "cluster_name": one.cluster,
            "endpoints": replicas,
        }
        _write(folder / f"{one.cluster}.json", [assignment])
    _write(folder / "clusters.json", [_cluster(folder, one) for one in backends])


def _endpoint(port: int) -> dict[str, Any]:
    return {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}}


def _cluster(folder: Path, backend: Backend) -> dict[str, Any]:
    limits = {"max_connections": _LIMIT, "max_pending_requests": _LIMIT, "max_requests": _LIMIT, "max_retries": _LIMIT}
    return {
        "@type": f"{_TYPE}config.cluster.v3.Cluster",
        "name": backend.cluster,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": _file(folder, f"{backend.cluster}.json")},
        "connect_timeout": _CONNECT,
        "lb_policy": "ROUND_ROBIN",  # the one with the fewest requests would be the one that has just died
        "circuit_breakers": {"thresholds": [limits, {**limits, "priority": "HIGH"}]},
        # A replica that has died is known by its process; one that hangs is found here.
        "health_checks": [
            {
                "timeout": "2s", "interval": "1s", "unhealthy_threshold": 3, "healthy_threshold": 1, "no_traffic_interval": "1s",
                "http_health_check": {"path": "/health/ready"},
            }
        ],
        "ignore_health_on_host_removal": True,
    }  # fmt: skip


def write_traffic(folder: Path, traffic: Traffic) -> None:
    """Shares of the versions, for Envoys that follow this folder."""
    weights = [
        {"name": Backend(version).cluster, "weight": weight, **_arm("stable" if version == traffic.stable else "canary")}
        for version, weight in traffic.weights.items()
    ]
    action: dict[str, Any] = {
        "weighted_clusters": {"clusters": weights, "use_hash_policy": True},
        "hash_policy": [{"header": {"header_name": STICKY_HEADER}}],
        "timeout": "60s",
        "retry_policy": {
            # What was never answered, at another replica, and at last at the stable version.
            "retry_on": "connect-failure,refused-stream,reset-before-request,reset",
            "num_retries": 3,
            "retry_priority": {
                "name": "envoy.retry_priorities.previous_priorities",
                "typed_config": {
                    "@type": f"{_TYPE}extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
                    "update_frequency": 1,
                },
            },
            "retry_host_predicate": [
                {
                    "name": "envoy.retry_host_predicates.previous_hosts",
                    "typed_config": {"@type": f"{_TYPE}extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"},
                }
            ],
            "host_selection_retry_max_attempts": 10,
        },
    }
    if traffic.shadow is not None:
        action["request_mirror_policies"] = [{"cluster": Backend(traffic.shadow).cluster}]
    routes = [{"match": {"prefix": "/"}, "route": action}]
    hosts = [{"name": "models", "domains": ["*"], "routes": routes}]
    _write(
        folder / "routes.json",
        [{"@type": f"{_TYPE}config.route.v3.RouteConfiguration", "name": "models", "virtual_hosts": hosts}],
    )


def _arm(name: str) -> dict[str, Any]:
    """What the prediction log calls those that a version was chosen for."""
    header = {"key": ARM_HEADER, "value": name}
    return {"request_headers_to_add": [{"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}]}


def _write(path: Path, resources: Sequence[Mapping[str, Any]]) -> None:
    replace_json(path, {"resources": list(resources)})
