"""IPython's own syntax (magics, shell lines, help) as known constructs: found, named and taken out of the code.

IPython is not imported: what counts here is which lines are Python and which are not, and that line numbers stay.
"""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

from jupyter_mlops.notebook.cells import Magic

__all__ = ["Neutralised", "is_known", "neutralise", "parse_code", "requirements_of"]

# Cell magics whose body is not Python of this kernel.
_FOREIGN = frozenset(
    """! HTML R bash bigquery cmd cython file html javascript js julia latex manim markdown md octave perl powershell
    pypy python python2 python3 ruby script sh sql sqlcmd svg system sx validate writefile writetemplate""".split()
)
# Cell magics that run their body as Python here.
_PYTHON_BODY = frozenset("capture debug heat lprun memit mprun prun pyinstrument scalene skip time timeit track".split())
# Line magics that run the rest of their line.
_STATEMENT = frozenset("heat lprun memit mprun prun time timeit".split())
# Magics without a bearing on what the code computes. Others get a warning.
_HARMLESS = _PYTHON_BODY | frozenset(
    """HTML alias autoreload autosave automagic bigquery_stats colors conda config doctest_mode dirs history html
    jupyter_mlops killbgscripts latex load_ext logstart logstop ls lsmagic magic mamba markdown matplotlib memory_profiler micromamba
    nb_black notebook page pdb pdef pdoc pfile pinfo pinfo2 pip precision promote psearch psource pwd pycat quickref
    recall reload_ext runs svg sweep tb tensorboard unload_ext uv version_information watermark who who_ls whos xmode
    config_inline javascript js validate""".split()
)
_INSTALLERS = frozenset("pip pip3 conda mamba micromamba uv".split())
# Commands that IPython's automagic accepts without a percent sign.
_AUTOMAGIC = re.compile(
    r"(?P<name>pip|conda|mamba|uv|cd|ls|ll|mkdir|cat|rm|cp|mv|rmdir|env|matplotlib|load_ext|reload_ext|autoreload|time|timeit)"
    r"\s+(?P<args>[^\s=.(,\[:+*/%&|<>][^=]*|install\b.*)$"
)
_MAGIC = re.compile(r"(?P<indent>\s*)(?P<sign>%%?|!!?)\s*(?P<rest>.*)$", re.DOTALL)
_ASSIGNED = re.compile(r"(?P<indent>\s*)(?P<target>[^=#'\"%!()]+?)\s*=\s*(?P<sign>%|!)\s*(?P<rest>[^=].*)$", re.DOTALL)
_HELP = re.compile(r"\s*(?:\?{1,2}\s*[%\w.*\[\]'\"]+|%{0,2}[A-Za-z_*][\w.*\[\]'\"()]*\s*\?{1,2})\s*;?\s*$")
_MAGIC_NAME = re.compile(r"(?P<name>[^\s]+)\s?(?P<args>.*)$", re.DOTALL)
_PROMPT = re.compile(r"(\s*)(?:>>> ?|In \[\d+\]: ?)")


@dataclass
class Neutralised:
    """The outcome of `neutralise`; `tree` is None when the cell is not Python, `error` a SyntaxError that is left."""

    code: str
    tree: ast.Module | None
    magics: list[Magic] = field(default_factory=list)
    error: SyntaxError | None = None
    foreign: bool = False


def is_known(magic: Magic) -> bool:
    """Whether leaving the magic out cannot change what the rest of the notebook computes."""
    if magic.kind == "shell":
        return False
    if magic.name in ("env", "set_env"):
        return "=" not in magic.args and " " not in magic.args.strip()
    return magic.name in _HARMLESS


def parse_code(code: str) -> ast.Module:
    """Parse Python with top-level ``await``; whatever the compiler would refuse is a SyntaxError too."""
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = compile(code, "<cell>", "exec", flags, dont_inherit=True)
            # A `return` outside of a function and the like only show when the tree is compiled.
            compile(tree, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        except (ValueError, RecursionError, MemoryError) as error:
            raise SyntaxError(str(error) or "the cell is nested too deeply") from error
    assert isinstance(tree, ast.Module)
    return tree


def neutralise(source: str) -> Neutralised:
    """Take IPython's syntax out of a cell.

    The code that is left has as many lines as `source`: line magics become ``pass``, ``x = %magic`` and ``x = !cmd``
    bind None, ``%time statement`` keeps its statement, cell magics keep a Python body.
    """
    try:
        # What parses holds no magic: `%` and `!` cannot begin a logical line of Python.
        return Neutralised(source, parse_code(source))
    except SyntaxError as error:
        first = error
    lines = source.split("\n")
    magics: list[Magic] = []
    foreign, assumed_python = _cell_magics(lines, magics)
    if foreign:
        return Neutralised("\n" * (len(lines) - 1), None, magics, foreign=True)
    _line_magics(lines, magics)
    code = "\n".join(lines)
    if code == source:
        return Neutralised("", None, magics, first)
    try:
        return Neutralised(code, parse_code(code), magics)
    except SyntaxError as error:
        if assumed_python:
            return Neutralised("\n" * (len(lines) - 1), None, magics, foreign=True)
        return Neutralised("", None, magics, error)


def _cell_magics(lines: list[str], magics: list[Magic]) -> tuple[bool, bool]:
    """Blank the cell magics at the top. Returns whether the body is foreign, and whether that it is Python is a guess."""
    guess = False
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        if not line.startswith("%%"):
            return False, guess
        match = _MAGIC_NAME.match(line[2:].strip() or "%")
        assert match is not None
        name, args = match["name"], match["args"].strip()
        magics.append(Magic("cell", name, args, number + 1))
        if name in _FOREIGN:
            return True, False
        guess = guess or name not in _PYTHON_BODY
        lines[number] = ""
        if name == "capture":
            target = next((word for word in args.split() if word.isidentifier()), None)
            lines[number] = f"{target} = None" if target else ""
        elif name in ("time", "prun") and args and not args.startswith("-"):
            lines[number] = args
    return False, guess


def _line_magics(lines: list[str], magics: list[Magic]) -> None:
    number = 0
    for number, last in list(_logical_lines(lines)):
        text = lines[number]
        if prompt := _PROMPT.match(text):
            text = lines[number] = prompt[1] + text[prompt.end() :]
        stripped = text.lstrip()
        indent = text[: len(text) - len(stripped)]
        if stripped[:1] in ("%", "!") and not _HELP.match(text):
            whole = _joined(lines, number, last)
            lines[number] = indent + _replacement(_MAGIC.match(whole), number, magics)
            lines[number + 1 : last + 1] = [""] * (last - number)
        elif _HELP.match(text):
            lines[number] = indent + "pass"
        elif ("%" in text or "!" in text) and (match := _ASSIGNED.match(_joined(lines, number, last))):
            kept = _replacement(match, number, magics)
            value = "None" if kept == "pass" else kept
            lines[number] = f"{indent}{match['target']} = {value}"
            lines[number + 1 : last + 1] = [""] * (last - number)
        elif (auto := _AUTOMAGIC.match(stripped)) and not _parses(stripped):
            magics.append(Magic("line", auto["name"], auto["args"].strip(), number + 1))
            lines[number] = indent + "pass"


def _joined(lines: list[str], first: int, last: int) -> str:
    return " ".join(line.rstrip().removesuffix("\\") for line in lines[first : last + 1])


def _parses(text: str) -> bool:
    try:
        parse_code(text)
    except SyntaxError:
        return False
    return True


def _replacement(match: re.Match[str] | None, number: int, magics: list[Magic]) -> str:
    """Note the magic and say what stands in its place."""
    assert match is not None
    rest = match["rest"].strip()
    if match["sign"].startswith("!"):
        magics.append(Magic("shell", "!", rest, number + 1))
        return "pass"
    named = _MAGIC_NAME.match(rest)
    name, args = (named["name"], named["args"].strip()) if named else ("", "")
    magics.append(Magic("line", name, args, number + 1))
    if name in _STATEMENT:
        words = re.sub(r"^(?:-\w+(?:\s*\d+|\s+(?=-)|\s+[\w.]+\s+(?=\S))?\s*)+", "", args) if args.startswith("-") else args
        if words and _parses(words):
            return words
    return "pass"


def _logical_lines(lines: list[str]) -> Iterator[tuple[int, int]]:
    """First and last line (0-based) of every logical line of Python: outside of strings and brackets.

    Magic lines are taken as a whole, with their backslash continuations, since their quotes need not match.
    """
    depth = 0
    quote = ""  # the triple quotes we are in
    number = 0
    while number < len(lines):
        line = lines[number]
        if not quote and depth == 0 and line.strip():
            last = number
            if line.lstrip()[0] in "%!" or _HELP.match(line) or _ASSIGNED.match(line):
                while lines[last].rstrip().endswith("\\") and last + 1 < len(lines):
                    last += 1
                yield number, last
                number = last + 1
                continue
            yield number, number
        continued = False
        position = 0
        while position < len(line):
            if quote:
                end = line.find(quote, position)
                while end > 0 and line[end - 1] == "\\" and not line[:end].endswith("\\\\"):
                    end = line.find(quote, end + 1)
                if end < 0:
                    break
                position, quote = end + 3, ""
                continue
            char = line[position]
            if char == "#":
                break
            if char in "'\"":
                if line.startswith(char * 3, position):
                    quote, position = char * 3, position + 3
                    continue
                position += 1
                while position < len(line) and line[position] != char:
                    position += 2 if line[position] == "\\" else 1
            elif char in "([{":
                depth += 1
            elif char in ")]}":
                depth = max(0, depth - 1)
            elif char == "\\" and position == len(line) - 1:
                continued = True
            position += 1
        number += 1
        while continued and number < len(lines):
            continued = lines[number].rstrip().endswith("\\")
            number += 1


_WITH_VALUE = frozenset(
    """-r --requirement -c --constraint -i --index-url --extra-index-url -f --find-links -e --editable -t --target
    --trusted-host --timeout --proxy --python -n --name -p --prefix --channel --root --cache-dir --progress-bar""".split()
)


def requirements_of(magic: Magic) -> tuple[str, ...] | None:
    """The requirements that an install line names, or None when the line installs nothing."""
    text = magic.args if magic.kind == "shell" else f"{magic.name} {magic.args}"
    text = re.sub(r"\s#.*$", "", text)
    found: list[str] = []
    installs = False
    for command in re.split(r"&&|\|\|?|;", text):
        try:
            words = shlex.split(command)
        except ValueError:
            words = command.split()
        words = [word for word in words if word != "sudo"]
        if "install" not in words:
            continue
        before = words[: words.index("install")]
        tool = next((w.rsplit("/", 1)[-1] for w in before if w.rsplit("/", 1)[-1] in _INSTALLERS), None)
        if tool is None:
            continue
        installs = True
        skip = False
        for word in words[words.index("install") + 1 :]:
            if skip:
                skip = False
            elif word.startswith("-"):
                skip = word in _WITH_VALUE
            elif word.startswith((">", "<", "1>", "2>")) or word in ("&>", "&"):
                break
            else:
                conda = tool not in ("pip", "pip3", "uv") and re.fullmatch(r"([\w.-]+)=([\w.*]+)(=\w+)?", word)
                found.append(f"{conda[1]}=={conda[2]}" if conda else word)
    return tuple(found) if installs else None
