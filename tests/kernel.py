"""A real kernel in which tests run cells."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

__all__ = ["Kernel", "Reply", "running_kernel"]


@dataclass
class Reply:
    """What a cell sent: its messages in order."""

    messages: list[dict[str, Any]] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Contents of the messages of one type."""
        return [one["content"] for one in self.messages if one["msg_type"] == kind]

    @property
    def error(self) -> dict[str, Any] | None:
        """The error message, if it failed."""
        found = self.of("error")
        return found[0] if found else None

    @property
    def text(self) -> str:
        """Streams together."""
        return "".join(one["text"] for one in self.of("stream"))

    @property
    def card(self) -> str:
        """The text of the card as it was shown last."""
        return str(self.of("update_display_data")[-1]["data"]["text/plain"])

    @property
    def html(self) -> str:
        """And as HTML."""
        return str(self.of("update_display_data")[-1]["data"]["text/html"])


class Kernel:
    """Runs cells, one after the other."""

    def __init__(self, manager: Any, client: Any) -> None:
        self.manager, self.client = manager, client

    def run(self, code: str, timeout: float = 120, metadata: Mapping[str, Any] | None = None) -> Reply:
        """Run a cell as a frontend does."""
        reply = Reply()
        content = {
            "code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True,
        }  # fmt: skip
        message = self.client.session.msg("execute_request", content)
        message["metadata"] = dict(metadata or {})
        self.client.shell_channel.send(message)
        deadline = time.monotonic() + timeout
        while True:
            found = self.client.get_iopub_msg(timeout=max(1.0, deadline - time.monotonic()))
            if found["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if found["msg_type"] == "status" and found["content"]["execution_state"] == "idle":
                break
            reply.messages.append(found)
        while True:
            if self.client.get_shell_msg(timeout=30)["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                return reply

    def start(self, code: str) -> str:
        """Send a cell without waiting for it."""
        return str(self.client.execute(code))

    def finish(self, message_id: str, timeout: float = 60) -> Reply:
        """Wait for a cell that was sent."""
        reply = Reply()
        while True:
            found = self.client.get_iopub_msg(timeout=timeout)
            if found["parent_header"].get("msg_id") != message_id:
                continue
            if found["msg_type"] == "status" and found["content"]["execution_state"] == "idle":
                return reply
            reply.messages.append(found)


@contextmanager
def running_kernel(folder: Path, env: Mapping[str, str] | None = None) -> Iterator[Kernel]:
    """A kernel with the extension loaded, whose working directory is `folder`."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(folder), env={**os.environ, **(env or {})}, extra_arguments=["--log-level=40"])
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=120)
        kernel = Kernel(manager, client)
        assert kernel.run("%load_ext jupyter_mlops").error is None
        yield kernel
    finally:
        client.stop_channels()
        if manager.is_alive():
            manager.shutdown_kernel(now=False)
        manager.cleanup_resources()
