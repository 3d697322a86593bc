"""Long workflows as processes of their own, with durable events: they outlive a page reload and the server's restart."""

from jupyter_mlops.jobs.manager import Jobs

__all__ = ["Jobs"]
