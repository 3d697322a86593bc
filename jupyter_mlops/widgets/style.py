"""Colours and pieces that the cards and tables share. They follow JupyterLab's theme, with values of their own elsewhere."""

from __future__ import annotations

from html import escape

__all__ = ["STYLE", "chip", "escape", "number", "seconds"]

STYLE = """<style>
.mlops{--f:var(--jp-ui-font-color1,var(--vscode-editor-foreground,#1f2328));--g:var(--jp-ui-font-color2,#6a737d);
--l:var(--jp-border-color2,rgba(128,128,128,.35));--b:var(--jp-layout-color1,transparent);--a:var(--jp-layout-color2,rgba(128,128,128,.09));
--ok:var(--jp-success-color1,#1a7f37);--bad:var(--jp-error-color1,#cf222e);--warn:var(--jp-warn-color1,#bf6a02);
color:var(--f);background:var(--b);border:1px solid var(--l);border-radius:6px;padding:10px 14px;margin:4px 0;max-width:860px;
font:13px/1.5 var(--jp-ui-font-family,system-ui,sans-serif)}
.mlops header{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 12px}
.mlops header b{font-size:15px}.mlops .q{color:var(--g)}.mlops code{font-size:12px;background:var(--a);padding:1px 4px;border-radius:3px;
color:inherit}.mlops .s{font-size:11px;font-weight:600;border:1px solid currentColor;border-radius:9px;padding:0 8px}
.mlops .ok{color:var(--ok)}.mlops .bad{color:var(--bad)}.mlops .warn{color:var(--warn)}
.mlops table{border-collapse:collapse;margin:8px 0 4px;font-size:13px}.mlops th{font-weight:600;color:var(--g)}
.mlops th,.mlops td{text-align:right;padding:2px 14px 2px 0;border:0;background:none;white-space:nowrap}
.mlops th:first-child,.mlops td:first-child{text-align:left}.mlops tbody tr{background:none!important}
.mlops tbody td{border-top:1px solid var(--l)}
.mlops details{margin-top:3px}.mlops summary{cursor:pointer;color:var(--g)}.mlops footer{margin-top:6px;color:var(--g)}
.mlops .n{font-variant-numeric:tabular-nums}.mlops p{margin:4px 0}.mlops a{color:var(--jp-content-link-color,#0969da)}
</style>"""


def number(value: float) -> str:
    """A number as people write it: six digits, thousands apart."""
    if value != value:
        return "nan"
    if abs(value) >= 1e6 or (value != 0 and abs(value) < 1e-4):
        return f"{value:.4g}"
    return f"{value:,.6g}" if value == int(value) else f"{value:.6g}"


def seconds(value: float) -> str:
    """A duration."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 120:
        return f"{value:.1f} s"
    if value < 7200:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.1f} h"


def chip(text: str, kind: str = "") -> str:
    """A word in a frame."""
    return f'<span class="s {kind}">{escape(text)}</span>'
