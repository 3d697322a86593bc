"""Files and addresses that are only there on one machine, or as long as a network answers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jupyter_mlops.notebook.checks.context import Context, last_name
from jupyter_mlops.notebook.checks.registry import Finding, rule

_SCHEME = re.compile(
    r"(?:https?|ftp|s3|s3a|s3n|gs|gcs|hdfs|abfss?|wasbs?|dbfs|az|adl|sftp|jdbc:[a-z]+|mongodb(?:\+srv)?|mysql|postgres(?:ql)?|redis)"
    r"://?\S+$|dbfs:/\S+$",
    re.IGNORECASE,
)
_WINDOWS = re.compile(r"[A-Za-z]:(?:\\|/)(?![/\\])[^\n*?\"<>|]*$|\\\\[\w.-]+\\[\w$.-]+")
_POSIX = re.compile(
    r"/(?:home|Users|root|tmp|mnt|media|data|datasets|content|kaggle|opt|var|srv|Volumes|dbfs|workspace|scratch|gdrive|usr/local)/[^\s\0]+.*$"
)
_OTHER_POSIX = re.compile(r"/[\w.-]+(?:/[\w. -]+)+\.\w{1,8}$")
_HOME = re.compile(r"~[\w-]*/[\w.-]")
_READS = re.compile(
    r"read_\w+|load\w*|open|imread|Path|join|listdir|glob|iglob|exists|isfile|isdir|walk|chdir|to_\w+|save\w*|dump|urlretrieve|urlopen|get|post"
    r"|request|download|get_file|wget|loadtxt|genfromtxt|fetch\w*|ZipFile|connect|create_engine|from_file|copy|move|makedirs|mkdir|scan_\w+|append|insert"
    r"|ImageFolder|flow_from_directory|image_dataset_from_directory|from_pretrained|KeyedVectors|load_word2vec_format|system|FileWriter|textFile|csv|json|parquet"
)
_SHOWN = frozenset("print display HTML Image IFrame YouTubeVideo Markdown SVG Video title set_title text annotate".split())


def _literals(context: Context) -> Iterator[tuple[int, ast.Constant, str, str]]:
    """Strings of the code with their cell, the function that they are handed to, and the name that they are bound to."""
    for statement in context.statements:
        stack: list[tuple[ast.AST, str, str]] = [(statement.node, "", "")]
        while stack:
            node, function, target = stack.pop()
            match node:
                case ast.Constant(value=str()):
                    yield statement.cell, node, function, target
                    continue
                case ast.Expr(value=ast.Constant()):
                    continue  # a docstring, or text that is only shown
                case ast.Call(func=func, args=args, keywords=keywords):
                    name = last_name(func)
                    stack.append((func, function, target))
                    # What is formatted or joined goes where the result goes.
                    inner = function if name in ("format", "str", "Request") and function else name
                    stack.extend((one, inner, target) for one in args)
                    stack.extend((one.value, inner, one.arg or "") for one in keywords)
                    continue
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=value)
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                ):
                    stack.append((value, "", name))
                    continue
                case ast.Compare():
                    continue
            stack.extend((child, function, target) for child in ast.iter_child_nodes(node))


@rule(
    "absolute-path",
    "warning",
    "A path is only there on one machine.",
    bad="import pandas as pd\ndf = pd.read_csv('/data/train.csv')",
    good="import pandas as pd\ndf = pd.read_csv('data/train.csv')",
)
def absolute_path(context: Context) -> Iterator[Finding]:
    """Literals that are a path as a whole, handed to something that reads or writes, or bound to a name."""
    for cell, node, function, target in _literals(context):
        text = str(node.value)
        if len(text) > 300 or "\n" in text or function in _SHOWN:
            continue
        known = _WINDOWS.match(text) or _POSIX.match(text) or _HOME.match(text)
        handed = bool(_READS.fullmatch(function)) or bool(target and not function)
        if (known and (handed or not function)) or (handed and function and _OTHER_POSIX.match(text)):
            yield Finding(
                cell,
                node.lineno,
                f"The path {_short(text)!r} is only there on one machine.",
                "Make it relative to the notebook, or a parameter.",
            )


@rule(
    "address",
    "warning",
    "Data comes from an address: the run needs a network, and what it answers may change.",
    bad="import pandas as pd\ndf = pd.read_csv('https://data.test/train.csv')",
    good="import pandas as pd\n# from https://data.test/train.csv\ndf = pd.read_csv('train.csv')\nprint('https://data.test')",
)
def address(context: Context) -> Iterator[Finding]:
    """Addresses that are shown, compared or documented are fine."""
    for cell, node, function, target in _literals(context):
        text = str(node.value)
        if not _SCHEME.match(text) or len(text) > 1000 or function in _SHOWN or "www.w3.org" in text:
            continue
        if _READS.fullmatch(function) or (target and not function) or not function:
            yield Finding(
                cell,
                node.lineno,
                f"{_short(re.sub(r'//[^/@]*@', '//...@', text))} is asked when the notebook runs: it needs a network, and the answer may change.",
                "Keep the data as a file with a version (DVC), or make the address a parameter.",
            )


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
