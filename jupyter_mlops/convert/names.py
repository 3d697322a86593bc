"""What every top-level name of the notebook becomes in the project.

An import goes to each module that uses it; a parameter becomes a field of the settings; a literal in capitals, or one
that a helper reads, becomes a constant; functions and classes go to `helpers`; all else is a variable that flows
between stages as an argument. A helper that reads a variable or a parameter gets it as a further argument, at its
definition and at every call: generated code has no hidden globals.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyter_mlops.convert.edits import Edit, statement_text
from jupyter_mlops.convert.identifiers import PythonIdentifier
from jupyter_mlops.convert.plan import SettingField
from jupyter_mlops.convert.scopes import global_names
from jupyter_mlops.notebook.cells import Stage
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.convert.plan import FeatureProgram
    from jupyter_mlops.notebook.dataflow import Analysis, Statement

__all__ = ["Names", "Rewriter", "annotation_of", "classify", "literal"]

_CONSTANT_CALLS = frozenset({"Path", "compile", "set", "frozenset", "list", "tuple", "dict", "range", "sorted", "Timestamp"})


@dataclass
class Names:
    """The kept statements by what becomes of them."""

    imports: list[int] = field(default_factory=list)
    helpers: list[int] = field(default_factory=list)
    constants: list[int] = field(default_factory=list)
    settings: dict[str, SettingField] = field(default_factory=dict)  # by the notebook's name
    imported: dict[str, int] = field(default_factory=dict)  # name -> statement
    constant_names: dict[str, Any] = field(default_factory=dict)  # name -> value where it is a literal
    helper_names: set[str] = field(default_factory=set)
    rebound_settings: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def is_variable(self, name: str) -> bool:
        """True for a name that is no import, helper, constant or setting."""
        known = self.imported.keys() | self.constant_names.keys() | self.helper_names
        return name not in known and (name not in self.settings or name in self.rebound_settings)


def annotation_of(value: Any) -> str:
    """Annotation of a literal value; containers name their elements' type when it is one."""
    match value:
        case None:
            return "Any"
        case bool() | int() | float() | str():
            return type(value).__name__
        case list() | set():
            kinds = {annotation_of(one) for one in value}
            return f"{type(value).__name__}[{kinds.pop() if len(kinds) == 1 else 'Any'}]"
        case tuple():
            kinds = {annotation_of(one) for one in value}
            return f"tuple[{kinds.pop() if len(kinds) == 1 else 'Any'}, ...]"
        case dict():
            keys, values = {annotation_of(k) for k in value}, {annotation_of(v) for v in value.values()}
            key, item = (kinds.pop() if len(kinds) == 1 else "Any" for kinds in (keys, values))
            return f"dict[{key}, {item}]"
        case _:
            return "Any"


def _single_target(node: ast.stmt) -> tuple[str, ast.expr] | None:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return name, value
    return None


def _trailing_comment(code: str, node: ast.stmt) -> str:
    text = statement_text(code, node)
    last = text.split("\n")[-1]
    plain = ast.unparse(node)
    return last.split("#", 1)[1].strip() if "#" in last and "#" not in plain else ""


def _settings(analysis: Analysis, overrides: Mapping[str, Any], names: Names) -> set[int]:
    """Literals of the `parameters` cells; returns the statements that became fields."""
    taken: set[int] = set()
    for statement in analysis.statements:
        if statement.stage is not Stage.PARAMETERS:
            continue
        target = _single_target(statement.node)
        if target is None:
            continue
        name, value = target
        try:
            default = ast.literal_eval(value)
        except ValueError:
            continue
        code = analysis.notebook.cells[statement.cell - 1].code
        node = statement.node
        annotation = ast.unparse(node.annotation) if isinstance(node, ast.AnnAssign) else annotation_of(default)
        field_name = str(PythonIdentifier(name.lower(), fallback="value"))
        names.settings[name] = SettingField(
            field_name, name, annotation, overrides.get(name, default), _trailing_comment(code, node)
        )
        taken.add(statement.index)
    return taken


def _is_constant(value: ast.expr, constants: Mapping[str, Any], imported: Mapping[str, int]) -> bool:
    for node in ast.walk(value):
        match node:
            case ast.Name(id=name):
                if name not in constants and name not in imported and name not in _CONSTANT_CALLS:
                    return False
            case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
                if name not in _CONSTANT_CALLS:
                    return False
            case ast.Lambda() | ast.ListComp() | ast.DictComp() | ast.SetComp() | ast.GeneratorExp() | ast.Await():
                return False
    return True


def literal(value: ast.expr, constants: Mapping[str, Any]) -> Any:
    """The value of a constant expression as far as it is plain data: literals, names of constants, + of lists."""
    match value:
        case ast.Name(id=name) if name in constants:
            return constants[name]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            a, b = literal(left, constants), literal(right, constants)
            return a + b if type(a) is type(b) and isinstance(a, (list, tuple, str)) else None
        case ast.List(elts=elements) if any(isinstance(e, ast.Starred) for e in elements):
            out: list[Any] = []
            for element in elements:
                inner = literal(element.value if isinstance(element, ast.Starred) else element, constants)
                out.extend(inner) if isinstance(element, ast.Starred) else out.append(inner)
            return out
    try:
        return ast.literal_eval(value)
    except ValueError:
        return None


def classify(analysis: Analysis, kept: frozenset[int], overrides: Mapping[str, Any]) -> Names:
    """Sort the kept statements. `overrides` are the values given with -p, checked before."""
    names = Names()
    setting_statements = _settings(analysis, overrides, names)
    statements = [analysis.statements[i] for i in sorted(kept)]
    bound_by: dict[str, list[Statement]] = {}
    for s in statements:
        for name in s.binds | s.mutates | s.deletes:
            bound_by.setdefault(name, []).append(s)
    names.rebound_settings = {
        name for name in names.settings if any(s.index not in setting_statements for s in bound_by.get(name, []))
    }
    read_by_helpers = {
        name for s in statements if isinstance(s.node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) for name in s.uses
    } | {name for info in analysis.functions.values() for name in info.reads}
    for s in statements:
        node = s.node
        if s.index in setting_statements:
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)) or (
            isinstance(node, (ast.Try, ast.If)) and s.binds and _only_imports(node)
        ):
            names.imports.append(s.index)
            names.imported.update(dict.fromkeys(s.binds, s.index))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.helpers.append(s.index)
            names.helper_names.add(node.name)
        elif (target := _single_target(node)) is not None:
            name, value = target
            if isinstance(value, ast.Lambda):
                names.helpers.append(s.index)
                names.helper_names.add(name)
            elif (
                (name.isupper() or name in read_by_helpers)
                and len(bound_by[name]) == 1
                and _is_constant(value, names.constant_names, names.imported)
            ):
                names.constants.append(s.index)
                names.constant_names[name] = literal(value, names.constant_names)
    return names


def _only_imports(node: ast.Try | ast.If) -> bool:
    blocks = [node.body, node.orelse] + ([h.body for h in node.handlers] if isinstance(node, ast.Try) else [])
    inner = [one for block in blocks for one in block]
    simple = (ast.Import, ast.ImportFrom, ast.Assign, ast.Pass, ast.Expr)
    return all(isinstance(one, simple) for one in inner) and any(isinstance(one, (ast.Import, ast.ImportFrom)) for one in inner)


class Rewriter:
    """Turns the author's statements into statements of the project: same text, explicit inputs."""

    def __init__(self, analysis: Analysis, names: Names) -> None:
        self.analysis = analysis
        self.names = names
        self.extra: dict[str, tuple[str, ...]] = {}  # helper -> globals it is handed as arguments
        self.lessons: dict[int, list[Edit]] = {}  # cell -> edits that keep what the training code learns
        self.learners: frozenset[str] = frozenset()  # helpers that learn something, and so take the state
        self.state = "state"
        self._codes = {  # source of the cell that a function stands in
            id(inner): analysis.notebook.cells[s.cell - 1].code
            for s in analysis.statements
            for inner in ast.walk(s.node)
            if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef))
        }
        self._add_extras()

    def _add_extras(self) -> None:
        for name in self.names.helper_names:
            info = self.analysis.functions.get(name)
            if info is None:
                continue
            reads = sorted(r for r in info.reads if r in self.names.settings or self._flows(r))
            if not reads:
                continue
            statement = self.analysis.statements[info.statement]
            if isinstance(statement.node, ast.ClassDef):
                for read in reads:
                    if read in self.names.settings and read not in self.names.rebound_settings:
                        continue  # becomes a constant of the helpers module
                    self.names.problems.append(
                        Problem(
                            "class-reads-variable",
                            "error",
                            f"Class {name!r} reads the notebook's variable {read!r}, which a module does not have.",
                            statement.cell,
                            statement.first_line,
                            "Hand it to the class in __init__.",
                        )  # fmt: skip
                    )
                continue
            self.extra[name] = tuple(reads)
            if info.writes:
                self.names.problems.append(
                    Problem(
                        "function-writes-global",
                        "error",
                        f"Function {name!r} rebinds the notebook's variable {', '.join(sorted(info.writes))}.",
                        statement.cell,
                        statement.first_line,
                        "Return the value and bind it where the function is called.",
                    )  # fmt: skip
                )

    def _flows(self, name: str) -> bool:
        return self.names.is_variable(name) and bool(self.analysis.defined_by(name))

    def argument_name(self, name: str) -> str:
        """What a global is called where a helper takes it as an argument."""
        setting = self.names.settings.get(name)
        return setting.name if setting is not None else name

    def _annotation(self, name: str) -> str:
        setting = self.names.settings.get(name)
        return setting.annotation if setting is not None else "Any"

    def value_text(self, name: str, *, inside_helper: bool) -> str:
        """Expression that gives a global's value, at a stage or inside of a helper that was handed it."""
        setting = self.names.settings.get(name)
        if setting is None or name in self.names.rebound_settings:
            return name
        return setting.name if inside_helper else f"settings.{setting.name}"

    def edits(self, node: ast.stmt, *, inside_helper: bool = False, local: frozenset[str] = frozenset()) -> list[Edit]:
        """Edits for one statement: settings by field, further arguments for helpers that read globals."""
        out: list[Edit] = []
        calls = {id(n.func): n for n in ast.walk(node) if isinstance(n, ast.Call)}
        for one in global_names(node, local):
            if not isinstance(one.ctx, ast.Load):
                continue
            if one.id in self.names.settings and one.id not in self.names.rebound_settings:
                out.append(Edit.of(one, self.value_text(one.id, inside_helper=inside_helper)))
            elif one.id in self.extra:
                handed = ", ".join(
                    f"{self.argument_name(g)}={self.value_text(g, inside_helper=inside_helper)}" for g in self.extra[one.id]
                )
                call = calls.get(id(one))
                if call is None:
                    out.append(Edit.of(one, f"partial({one.id}, {handed})"))
                else:
                    out.append(self._into_call(call, handed))
        return out

    def teach(self, features: FeatureProgram) -> None:
        """From now on texts are those of a training that keeps what the features learn."""
        self.learners, self.state = features.learners, features.variable
        for lesson in features.lessons:
            self.lessons.setdefault(lesson.cell, []).append(lesson.edit)

    def taught(self, node: ast.AST, cell: int) -> list[Edit]:
        """Edits of a statement that keep what it learns; a call that serving does not repeat learns for nobody."""
        edits = self.lessons.get(cell, [])
        places = {(e.end_line, e.end_column) for e in edits}
        stray = [
            n for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id in self.learners
        ]
        more = [self._into_call(call, f"{self.state}=Learning()") for call in stray]
        return [*edits, *(e for e in more if (e.line, e.column) not in places)]

    def _into_call(self, call: ast.Call, handed: str) -> Edit:
        last = [*call.args, *[k.value for k in call.keywords]]
        end = max(((n.end_lineno or 0, n.end_col_offset or 0) for n in last), default=None)
        if end is None:
            assert call.end_lineno is not None and call.end_col_offset is not None
            return Edit(call.end_lineno, call.end_col_offset - 1, call.end_lineno, call.end_col_offset - 1, handed)
        return Edit(*end, *end, f", {handed}")

    def text(self, statement: Statement) -> str:
        """A stage's statement, comments above it included."""
        code = self.analysis.notebook.cells[statement.cell - 1].code
        body = statement_text(code, statement.node, self.edits(statement.node) + self.taught(statement.node, statement.cell))
        comments = statement.comments.strip("\n")
        return f"{comments}\n{body}" if comments else body

    def helper_text(
        self, statement: Statement, *, more: Sequence[Edit] = (), name: str | None = None, parameters: Sequence[str] = ()
    ) -> str:
        """A function or class for the helpers module: annotations completed, globals it read as arguments.

        Parameters
        ----------
        more
            Further edits, which win over its own.
        name, parameters
            Another name, and further keyword-only parameters.
        """
        node = statement.node
        code = self.analysis.notebook.cells[statement.cell - 1].code
        edits = [*more, *self._annotations(node)]
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            edits += self.edits(node, inside_helper=True)
            handed = [f"{self.argument_name(g)}: {self._annotation(g)}" for g in self.extra.get(node.name, ())]
            if not more:
                edits += self.taught(node, statement.cell)
                handed += [f"{self.state}: Learning"] if node.name in self.learners else []
            if handed or parameters:
                edits += self._parameters(node, code, [*handed, *parameters])
            if name is not None:
                line = code.split("\n")[node.lineno - 1].encode()
                column = line.index(node.name.encode(), node.col_offset)
                edits.append(Edit(node.lineno, column, node.lineno, column + len(node.name.encode()), name))
        elif not isinstance(node, ast.ClassDef):
            edits += self.edits(node, inside_helper=True)
        body = statement_text(code, node, edits)
        comments = statement.comments.strip("\n")
        return f"{comments}\n{body}" if comments else body

    def _parameters(self, node: ast.FunctionDef | ast.AsyncFunctionDef, code: str, wanted: list[str]) -> list[Edit]:
        """Keyword-only parameters behind the author's own."""
        a = node.args
        text = ", ".join(wanted)
        if a.kwarg is not None:  # must stay last: in front of the two stars
            column = a.kwarg.col_offset - 2
            star = "" if a.vararg or a.kwonlyargs else "*, "
            return [Edit(a.kwarg.lineno, column, a.kwarg.lineno, column, f"{star}{text}, ")]
        parts: list[ast.arg | ast.expr] = [*a.posonlyargs, *a.args, *a.kwonlyargs, *a.defaults]
        parts += [d for d in a.kw_defaults if d is not None] + ([a.vararg] if a.vararg else [])
        parts += [p.annotation for p in parts if isinstance(p, ast.arg) and p.annotation is not None]
        star = "" if a.vararg or a.kwonlyargs else "*, "
        if not parts:
            line = code.split("\n")[node.lineno - 1].encode()
            column = line.index(b"(", node.col_offset) + 1
            return [Edit(node.lineno, column, node.lineno, column, f"{star}{text}")]
        end = max((p.end_lineno or 0, p.end_col_offset or 0) for p in parts)
        return [Edit(*end, *end, f", {star}{text}")]

    def _annotations(self, node: ast.AST) -> list[Edit]:
        """``Any`` where the author gave no annotation, so that the package passes a strict type checker."""
        out = []
        methods = {id(m) for c in ast.walk(node) if isinstance(c, ast.ClassDef) for m in c.body}
        for one in ast.walk(node):
            if not isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            a = one.args
            named = [*a.posonlyargs, *a.args, *a.kwonlyargs, *(x for x in (a.vararg, a.kwarg) if x is not None)]
            static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in one.decorator_list)
            if id(one) in methods and not static and named:
                named = named[1:]
            out += [Edit.after(arg, ": Any") for arg in named if arg.annotation is None]
            if one.returns is None:
                returns = "None" if one.name == "__init__" else "Any"
                out.append(self._return_edit(one, returns))
        return [edit for edit in out if edit.line]

    def _return_edit(self, node: ast.FunctionDef | ast.AsyncFunctionDef, returns: str) -> Edit:
        """Insert ``-> returns`` in front of the colon that ends the header."""
        lines = self._codes[id(node)].split("\n")
        first = node.body[0]
        begin = min([first.lineno, *(d.lineno for d in getattr(first, "decorator_list", []))])
        # The header ends at the first colon outside of all brackets; only the tokenizer knows strings and comments.
        text = "\n".join(lines[node.lineno - 1 : max(begin, node.lineno)]) + "\n"
        depth = 0
        try:
            for token in tokenize.generate_tokens(io.StringIO(text).readline):
                if token.type != tokenize.OP:
                    continue
                if token.string in "([{":
                    depth += 1
                elif token.string in ")]}":
                    depth -= 1
                elif token.string == ":" and depth == 0:
                    line = node.lineno + token.start[0] - 1
                    column = len(lines[line - 1][: token.start[1]].encode())
                    return Edit(line, column, line, column, f" -> {returns}")
        except (tokenize.TokenError, IndentationError):
            pass
        return Edit(0, 0, 0, 0, "")
