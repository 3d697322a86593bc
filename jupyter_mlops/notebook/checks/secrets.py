"""Passwords, keys and tokens that are written into the notebook."""

from __future__ import annotations

import ast
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jupyter_mlops.notebook.checks.context import Context, last_name
from jupyter_mlops.notebook.checks.registry import Finding, rule

# Tokens that tell by their form what they are.
_FORMS = {
    "an AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})\b",
    "an OpenAI or Anthropic key": r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}\b",
    "a Hugging Face token": r"\bhf_[A-Za-z0-9]{30,}\b",
    "a Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}\b",
    "a Google API key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----",
    "a JSON web token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "a Stripe key": r"\b[rs]k_live_[A-Za-z0-9]{20,}\b",
    "an Azure storage key": r"AccountKey=[A-Za-z0-9+/]{60,}={0,2}",
}
_KNOWN = [(what, re.compile(form)) for what, form in _FORMS.items()]
_PASSWORD = re.compile(r"(?:^|_)(?:password|passwd|passphrase|pwd)$", re.IGNORECASE)
_KEY = re.compile(
    r"(?:^|_)(?:(?:api|access|secret|auth|private|client|consumer|account|subscription|bearer|refresh|oauth)_?(?:key|token|secret)"
    r"|(?:access|secret)_?(?:access)?_?key|secret|apikey|token)(?:_?id)?$",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"x{3,}|\*{3,}|\.{3}|<.*>|\{.*\}|\[.*\]|your|^my[_-]?|insert|enter|change_?me|example|placeholder|dummy|secret$|password|passwd|token$|api_?key$"
    r"|none$|null$|todo|test$|here$|^string$|^str$|redacted|hidden|removed|fill",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"[a-z0-9+.-]://[^/\s:@]+:([^/\s:@]+)@", re.IGNORECASE)
_IN_MAGIC = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*[= ]\s*['\"]?([^\s'\"]+)")

# name = "text", also as it stands in the JSON of a notebook.
_GIVEN = re.compile(r"""\b([A-Za-z_]\w*+)(?:\\?["'])?\]?\s*[=:]\s*\\?["'](?=([^"'\\\n]{4,}))""")

__all__ = ["judge_secret", "masked", "redacted"]


# Pictures and other data of a notebook's outputs: megabytes without a secret in them.
_DATA = re.compile(r"([A-Za-z0-9+/=]{1000,}+)")
_TELLING = 6  # characters of a secret that is looked for without its name; a shorter one may be a word that stands there anyway


def redacted(text: str, values: Mapping[str, Any] | None = None) -> str:
    """Source, a diff or a notebook's JSON with what looks like a secret replaced by asterisks.

    Parameters
    ----------
    values
        Parameters by name: secrets among them are replaced wherever they stand, as when a cell prints them.
    """
    secrets = [one for name, one in (values or {}).items() if isinstance(one, str) and judge_secret(name, one)]
    forms = sorted({form for one in secrets if len(one) >= _TELLING for form in _written(one)}, key=len, reverse=True)
    return "".join(part if number % 2 else _redacted(part, forms) for number, part in enumerate(_DATA.split(text)))


def masked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by name, with asterisks for those that look like a secret under their name."""
    return {name: "***" if judge_secret(name, str(value)) else value for name, value in values.items()}


def _written(secret: str) -> Iterator[str]:
    """As it stands in text, in Python, and in the JSON of either."""
    for one in (secret, repr(secret)[1:-1]):
        yield one
        yield json.dumps(one)[1:-1]
        yield json.dumps(one, ensure_ascii=False)[1:-1]


def _redacted(text: str, forms: Sequence[str]) -> str:
    for one in forms:
        text = text.replace(one, "***")
    for _, form in _KNOWN:
        text = form.sub("***", text)
    text = _IN_ADDRESS.sub(lambda found: found[0].replace(f":{found[1]}@", ":***@"), text)
    parts, end = [], 0
    for found in _GIVEN.finditer(text):
        if found.start(2) >= end and judge_secret(found[1], found[2]):
            parts += [text[end : found.start(2)], "***"]
            end = found.end(2)
    return "".join([*parts, text[end:]])


@rule(
    "secret",
    "error",
    "A password, key or token is written into the notebook.",
    bad="api_key = '9f8a7c6e5d4b3a29180716253443526f'",
    good="import os\napi_key = os.environ['API_KEY']\npassword = 'your-password'",
)
def secret(context: Context) -> Iterator[Finding]:
    """Known forms anywhere; otherwise a literal under a name that says so, unless it is a placeholder. It is not repeated."""
    seen: set[tuple[int, int]] = set()
    for cell, line, name, text in _texts(context):
        what = judge_secret(name, text)
        if what and (cell, line) not in seen:
            seen.add((cell, line))
            yield Finding(
                cell,
                line,
                f"This looks like {what}: whoever gets the notebook has it, and its history keeps it.",
                "Read it from the environment (os.environ) or a vault, and revoke this one.",
            )


def judge_secret(name: str, text: str) -> str:
    """What kind of secret a text under a name is; empty where it is none."""
    for what, form in _KNOWN:
        if form.search(text):
            return what
    inside = _IN_ADDRESS.search(text)
    if inside and not _PLACEHOLDER.search(inside[1]) and len(inside[1]) > 3:
        return "a password in an address"
    if not name or " " in text or _PLACEHOLDER.search(text):
        return ""
    if _PASSWORD.search(name) and len(text) >= 4 and not text.startswith(("/", "http")):
        return "a password"
    if _KEY.search(name) and len(text) >= 16 and _is_random(text):
        return "a key or token"
    return ""


def _is_random(text: str) -> bool:
    """Letters and digits mixed, with many different signs: no word that someone chose."""
    if not re.fullmatch(r"[\w+/=.:~-]+", text) or not re.search(r"\d", text) or not re.search(r"[A-Za-z]", text):
        return False
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values()) >= 3.0


def _texts(context: Context) -> Iterator[tuple[int, int, str, str]]:
    """Strings with the cell, the line, and the name that they are given to."""
    for statement, node in context.nodes:
        cell = statement.cell
        match node:
            case ast.Assign(targets=[target], value=ast.Constant(value=str(text))):
                name = last_name(target)
                if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
                    name = str(target.slice.value)
                yield cell, node.lineno, name, text
            case ast.Call(keywords=keywords):
                for keyword in keywords:
                    if isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str):
                        yield cell, keyword.value.lineno, keyword.arg or "", keyword.value.value
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                        yield cell, value.lineno, str(key.value), value.value
            case ast.Constant(value=str(text)):
                yield cell, node.lineno, "", text
    for cell_ in context.notebook.code_cells:
        for magic in cell_.magics:
            if magic.name in ("env", "set_env") or "export " in magic.args:
                for found in _IN_MAGIC.finditer(magic.args.replace("export ", "")):
                    yield cell_.number, magic.line, found[1], found[2]
            else:
                yield cell_.number, magic.line, "", magic.args
