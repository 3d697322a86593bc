"""The notebook as it was run, for people: one HTML file."""

from __future__ import annotations

__all__ = ["notebook_html"]


def notebook_html(text: str, name: str) -> str:
    """A notebook's JSON with its outputs as HTML, by nbconvert; `name` is the title of the page."""
    import nbformat
    from nbconvert import HTMLExporter

    exporter = HTMLExporter()
    exporter.mathjax_url = exporter.require_js_url = ""  # a page that loads nothing
    body, _ = exporter.from_notebook_node(nbformat.reads(text, as_version=4), resources={"metadata": {"name": name}})
    return str(body)
