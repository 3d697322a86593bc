"""Start the service: ``python -m service``; settings come from the environment (see config.py)."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from service.config import Config
from service.logs import logging_config
from service.metrics import shared_numbers


def main() -> None:
    """Run uvicorn until SIGTERM or SIGINT."""
    # A checkout that is not installed; worker processes inherit the path.
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
    config = Config.from_environment()
    with shared_numbers(config.workers):
        uvicorn.run(
            "service.app:create_app",
            factory=True,
            host=config.host,
            port=config.port,
            workers=config.workers,
            root_path=config.root_path,
            log_config=logging_config(config.log_level),
            access_log=config.access_log,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=config.grace_seconds,
        )


if __name__ == "__main__":
    main()
