"""What one statement does to names and objects, found by running it on abstract values.

Every path through a compound statement is run; where paths meet, a name may refer to what any of them left. Loops run
until nothing new comes up. Exceptions are followed into their handlers only.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from jupyter_mlops.notebook.expressions import Expressions
from jupyter_mlops.notebook.functions import Arguments, Loop
from jupyter_mlops.notebook.hidden import CONFIG, FILES, HiddenEffect
from jupyter_mlops.notebook.memory import Effects, State
from jupyter_mlops.notebook.objects import EMPTY, Kind, Obj, Pts, contents
from jupyter_mlops.notebook.scopes import bindings, import_name

__all__ = ["Machine"]

_PASSES = 8  # over a loop; sets only grow, two or three passes are the rule


class Machine(Expressions):
    """Runs a notebook, statement by statement."""

    def __init__(self) -> None:
        super().__init__()
        self._applied: dict[int, ast.Call] = {}  # decorators as the calls that they are
        self._statements: dict[type[ast.stmt], Callable[[Any], None]] = {
            ast.AnnAssign: self._annotated,
            ast.Assert: lambda n: self._values(n.test, n.msg),
            ast.Assign: self._assign,
            ast.AsyncFor: self._for,
            ast.AsyncFunctionDef: self._def,
            ast.AsyncWith: self._with,
            ast.AugAssign: self._augmented,
            ast.Break: self._break,
            ast.ClassDef: self._class,
            ast.Continue: self._continue,
            ast.Delete: self._delete,
            ast.Expr: lambda n: self._values(n.value),
            ast.For: self._for,
            ast.FunctionDef: self._def,
            ast.If: self._if,
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.Match: self._match,
            ast.Raise: self._raise,
            ast.Return: self._return,
            ast.Try: self._try,
            ast.TryStar: self._try,
            ast.While: self._while,
            ast.With: self._with,
        }
        alias = getattr(ast, "TypeAlias", None)  # Python 3.12
        if alias is not None:
            self._statements[alias] = lambda n: self.store(n.name.id, EMPTY)

    def run_top(self, statement: ast.stmt) -> Effects:
        """Run one top-level statement and say what it did."""
        self.effects = Effects()
        self.state.must = set()
        self.state.dead = False
        self.weak = self.outer_weak = self.quiet = 0
        self.loops = []
        self._cache.clear()
        self._statement(statement)
        self.effects.binds -= self.effects.deletes - self.state.must
        return self.effects

    def run_body(self, body: list[ast.stmt]) -> None:
        for statement in body:
            if self.state.dead:
                return
            self._statement(statement)

    def _statement(self, statement: ast.stmt) -> None:
        if self._stack:
            self.spent += 1
        else:
            self.line = statement.lineno
        handler = self._statements.get(type(statement))
        if handler is not None:
            handler(statement)

    def _values(self, *nodes: ast.expr | None) -> None:
        for node in nodes:
            if node is not None:
                self.evaluate(node)

    # Simple statements

    def _assign(self, node: ast.Assign) -> None:
        if isinstance(node.value, ast.Tuple) and any(isinstance(t, ast.Tuple | ast.List) for t in node.targets):
            self._assign_tuple(node, node.value)
            return
        value = self.evaluate(node.value)
        for target in node.targets:
            self.bind(target, value, node.value)

    def _assign_tuple(self, node: ast.Assign, source: ast.Tuple) -> None:
        """``a, b = b, a``: each target gets its own value."""
        values = [self.evaluate(one) for one in source.elts]
        plain = not any(isinstance(one, ast.Starred) for one in source.elts)
        for target in node.targets:
            if (
                plain
                and isinstance(target, ast.Tuple | ast.List)
                and len(target.elts) == len(values)
                and not any(isinstance(one, ast.Starred) for one in target.elts)
            ):
                for one, value, from_node in zip(target.elts, values, source.elts, strict=True):
                    self.bind(one, value, from_node)
            else:
                self.bind(target, frozenset((self.new(source, Kind.TUPLE, frozenset().union(*values)),)), None)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if self.frame.kind != "function":
            self._quietly(node.annotation)
        if node.value is not None:
            self.bind(node.target, self.evaluate(node.value), node.value)

    def _quietly(self, *nodes: ast.expr | None) -> None:
        self.quiet += 1
        self._values(*nodes)
        self.quiet -= 1

    def _augmented(self, node: ast.AugAssign) -> None:
        target = node.target
        load: ast.expr
        if isinstance(target, ast.Name):
            before = self.load(target.id, target)
        else:
            load = target.value
            base = self.evaluate(load)
            if isinstance(target, ast.Subscript):
                self.evaluate(target.slice)
            self.touch(base, target)
            self.mutate(base)
            before = contents(base) if not isinstance(target, ast.Attribute) else self._attribute_of(target, base)
        value = self.evaluate(node.value)
        made = self.touch(before, node, value)
        self.mutate(one for one in before if one.kind is not Kind.MODULE)
        for one in before:
            if one.kind in (Kind.LIST, Kind.SET, Kind.DICT, Kind.UNKNOWN, Kind.TUPLE):
                self.hold(one, contents(value))
        result = before | made
        if any(one.kind is Kind.TUPLE for one in before) or (value and not before):
            result |= {self.new(node, Kind.LIBRARY, contents(value))}
        if isinstance(target, ast.Name):
            self.store(target.id, result)
        elif isinstance(target, ast.Attribute):
            for one in base:
                if one.kind is not Kind.MODULE:
                    self.hold(one, result)
                    one.fields.setdefault(target.attr, set()).update(result)

    def _attribute_of(self, target: ast.Attribute, base: Pts) -> Pts:
        found: set[Obj] = set()
        for one in base:
            if one.kind in (Kind.INSTANCE, Kind.CLASS):
                found |= one.fields.get(target.attr, set())
            elif one.kind is not Kind.MODULE:
                found |= one.holds
        return frozenset(found)

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self._delete_one(target)

    def _delete_one(self, target: ast.expr) -> None:
        match target:
            case ast.Name(id=name):
                self.unbind(name)
            case ast.Attribute(value=owner):
                self.mutate(self.evaluate(owner))
            case ast.Subscript(value=owner, slice=index):
                objects = self.evaluate(owner)
                self.evaluate(index)
                self.touch(objects, target)
                self.mutate(objects)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                for one in elements:
                    self._delete_one(one)

    def _import(self, node: ast.Import) -> None:
        self.hidden((HiddenEffect(CONFIG, "use"), HiddenEffect(FILES, "use")))
        for alias in node.names:
            name = import_name(alias)
            if alias.asname is None and "." in alias.name and self.frame.kind == "top" and name in self.state.env:
                self.effects.adds.add(name)  # `import a.b` after `import a.c` leaves `a.c` in place
            self.store(name, frozenset((self.module(alias.name if alias.asname else name),)))

    def _import_from(self, node: ast.ImportFrom) -> None:
        self.hidden((HiddenEffect(CONFIG, "use"), HiddenEffect(FILES, "use")))
        if node.module == "__future__":
            self.hidden((HiddenEffect(CONFIG, "change"),))
        source = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self.effects.star = True
            else:
                self.store(import_name(alias), frozenset((self.module(f"{source}.{alias.name}"),)))

    def _def(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        decorators = [self.evaluate(one) for one in node.decorator_list]
        a = node.args
        annotated = [*a.posonlyargs, *a.args, *a.kwonlyargs, *(one for one in (a.vararg, a.kwarg) if one is not None)]
        self._quietly(node.returns, *(one.annotation for one in annotated))
        value: Pts = frozenset((self.define(node),))
        self.store(node.name, self._decorate(value, decorators, node.decorator_list))

    def _decorate(self, value: Pts, decorators: list[Pts], nodes: list[ast.expr]) -> Pts:
        for decorator, node in zip(reversed(decorators), reversed(nodes), strict=True):
            own = frozenset(o for o in decorator if o.kind not in (Kind.MODULE, Kind.LIBRARY))
            if own:
                call = self._applied.setdefault(id(node), ast.Call(func=node, args=[], keywords=[]))
                value = self.call_objects(own, call, Arguments([value])) or value
            else:
                for one in decorator:
                    if one.kind is Kind.LIBRARY:
                        for made in value:
                            self.hold(made, one.holds)
        return value

    # Classes

    def _class(self, node: ast.ClassDef) -> None:
        decorators = [self.evaluate(one) for one in node.decorator_list]
        bases = [self.evaluate(one) for one in node.bases]
        self._values(*(keyword.value for keyword in node.keywords))
        cls = self.new(node, Kind.CLASS, origin=node.name)
        cls.items = [set(base) for base in bases]
        plain = [base for base in node.bases if not (isinstance(base, ast.Name) and base.id == "object")]
        own = all(any(o.kind is Kind.CLASS for o in base) for base in bases)
        cls.loose = bool(plain) and not own
        outer = self.frame
        frame = self.enter((id(node), outer.id), bindings(node.body), outer, "class")
        parent_scope, self.frame = outer, frame
        for name in sorted(frame.scope.local):
            self.state.env.pop((frame.id, name), None)
        self.run_body(node.body)
        self.frame = parent_scope
        for name in sorted(frame.scope.local):
            for value in self.state.env.get((frame.id, name), EMPTY):
                cls.fields.setdefault(name, set()).add(value)
                if value.kind is Kind.FUNCTION:
                    value.cls = cls
                    self.hold(cls, (o for o in value.holds if o is not cls))
                    if value.frame is frame:
                        value.frame = outer
                else:
                    self.hold(cls, (value,))
        for base in bases:
            self.refer(cls, (one for one in base if one.kind is Kind.CLASS))
        self.store(node.name, self._decorate(frozenset((cls,)), decorators, node.decorator_list))

    # Branches and loops

    def _if(self, node: ast.If) -> None:
        self.evaluate(node.test)
        before = self.state.copy()
        self.run_body(node.body)
        after, self.state = self.state, before
        self.run_body(node.orelse)
        self.state = self.join([after, self.state])

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        source = self.evaluate(node.iter)
        made = self.touch(source, node.iter) if source else EMPTY
        elements = contents(source) | contents(made)

        def once() -> None:
            self.bind(node.target, elements | contents(source), None)
            self.run_body(node.body)

        self._loop(once, node.orelse, endless=False)

    def _while(self, node: ast.While) -> None:
        def once() -> None:
            self.evaluate(node.test)
            self.run_body(node.body)

        endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        if not endless:
            self.evaluate(node.test)
        self._loop(once, node.orelse, endless=endless)

    def _loop(self, once: Callable[[], None], orelse: list[ast.stmt], *, endless: bool) -> None:
        loop = Loop()
        self.loops.append(loop)
        entry = self.state
        merged = entry.copy()
        for _ in range(_PASSES):
            known = (merged.env.copy(), self.version)
            loop.breaks.clear()
            loop.continues.clear()
            self.state = merged.copy()
            once()
            merged = self.join([entry, self.state, *loop.continues, merged])
            merged.must = set(entry.must)
            if self.exhausted or (merged.env, self.version) == known:
                break
        self.loops.pop()
        self.state = merged
        if endless:
            # Left by `break` only.
            self.state = self.join(loop.breaks) if loop.breaks else State(merged.env, merged.must, dead=True)
            return
        self.run_body(orelse)
        self.state = self.join([self.state, *loop.breaks])

    def _leave(self, where: list[State]) -> None:
        where.append(self.state.copy())
        self.state.dead = True

    def _break(self, node: ast.Break) -> None:
        if self.loops:
            self._leave(self.loops[-1].breaks)

    def _continue(self, node: ast.Continue) -> None:
        if self.loops:
            self._leave(self.loops[-1].continues)

    def _return(self, node: ast.Return) -> None:
        if node.value is not None:
            self.frame.result |= self.evaluate(node.value)
        self._leave(self.frame.exits)

    def _raise(self, node: ast.Raise) -> None:
        self._values(node.exc, node.cause)
        self.state.dead = True

    def _match(self, node: ast.Match) -> None:
        subject = self.evaluate(node.subject)
        inside = subject | contents(subject)
        ends: list[State] = []
        complete = False
        for case in node.cases:
            before = self.state.copy()
            for one in ast.walk(case.pattern):
                if isinstance(one, ast.expr) and not isinstance(one, ast.Constant):
                    self.evaluate(one) if isinstance(one, ast.Name | ast.Attribute) else None
                name = getattr(one, "name", None) or getattr(one, "rest", None)
                if isinstance(name, str):
                    self.store(name, inside)
            self._values(case.guard)
            unmatched = self.join([before, self.state])
            unmatched.must = before.must
            unmatched = unmatched.copy()
            self.run_body(case.body)
            ends.append(self.state)
            self.state = unmatched
            complete = complete or (case.guard is None and isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None)
        self.state = self.join(ends if complete else [*ends, self.state])

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        entered: set[Obj] = set()
        for item in node.items:
            value = self.evaluate(item.context_expr)
            given: set[Obj] = set(value) | {o for one in value if one.kind is Kind.LAZY for o in one.holds}
            given |= self.touch(value, item.context_expr)
            entered |= {one for one in value if one.kind is not Kind.MODULE}
            if item.optional_vars is not None:
                self.bind(item.optional_vars, frozenset(given), None)
        # What happens inside may be recorded by the context (a PyMC model, a tape, a file).
        self.mutate(entered)
        self.run_body(node.body)

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        entry = self.state.copy()
        names = [n for h in node.handlers for n in _caught(h)]
        quiet = any(n in ("", "NameError", "Exception", "BaseException") for n in names)
        self.quiet += quiet
        self.weak += 1
        self.run_body(node.body)
        self.weak -= 1
        self.quiet -= quiet
        thrown = State(dict(self.state.env), set(entry.must))
        for key, value in entry.env.items():
            if key not in thrown.env:
                thrown.env[key] = value
        self.run_body(node.orelse)
        ends = [self.state]
        for handler in node.handlers:
            self.state = thrown.copy()
            self._values(handler.type)
            if handler.name:
                self.store(handler.name, EMPTY)
            self.run_body(handler.body)
            if handler.name and not self.state.dead:
                self.forget(handler.name)
            ends.append(self.state)
        self.state = self.join(ends)
        if node.finalbody:
            dead, self.state.dead = self.state.dead, False
            self.run_body(node.finalbody)
            self.state.dead = self.state.dead or dead


def _caught(handler: ast.ExceptHandler) -> list[str]:
    if handler.type is None:
        return [""]
    nodes = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [getattr(one, "id", getattr(one, "attr", "?")) for one in nodes]
