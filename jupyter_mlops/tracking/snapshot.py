"""The notebook as it was run, for people: one HTML file."""

from __future__ import annotations

from pathlib import Path

__all__ = ["notebook_html"]


def notebook_html(path: Path) -> str:
    """A notebook with its outputs as HTML, by nbconvert."""
    import nbformat
    from nbconvert import HTMLExporter

    exporter = HTMLExporter()
    exporter.mathjax_url = exporter.require_js_url = ""  # a page that loads nothing
    body, _ = exporter.from_notebook_node(nbformat.read(path, as_version=4), resources={"metadata": {"name": path.stem}})
    return str(body)
