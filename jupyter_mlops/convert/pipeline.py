"""The stages of ``dvc.yaml``: which stage functions run together, and what files lie between them.

Each runs in a process of its own, so whatever one gives another must be written and read back as it was. What cannot be
(an object of an unknown class, two names for one object that is then changed, the settings of a library) keeps its
stages together.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from jupyter_mlops.convert.identifiers import PythonIdentifier, unique
from jupyter_mlops.convert.validated import CHECK
from jupyter_mlops.notebook.hidden import CONFIG, RANDOM_TENSORFLOW, RANDOM_TORCH

if TYPE_CHECKING:
    from jupyter_mlops.convert.answers import Answer
    from jupyter_mlops.convert.plan import ModulePlan, SettingField, StageFunction

__all__ = ["Crossing", "PipelineStage", "pipeline_stages"]

# Classes whose values the generated `handover` module writes and reads back as they were.
_STORED = frozenset(
    {"builtins.bool", "builtins.int", "builtins.float", "builtins.str", "builtins.NoneType", "builtins.list", "builtins.tuple",
     "builtins.dict", "builtins.set", "builtins.frozenset", "datetime.date", "datetime.datetime", "datetime.timedelta",
     "pandas.core.frame.DataFrame", "pandas.core.series.Series", "pandas._libs.tslibs.timestamps.Timestamp",
     "pandas._libs.tslibs.timedeltas.Timedelta"}
)  # fmt: skip
_STORED_MODULES = ("pandas.core.indexes", "scipy.sparse", "sklearn", "xgboost.sklearn", "lightgbm.sklearn")
_NOT_STORED = frozenset({"sklearn.utils._bunch.Bunch"})  # a dict of anything
# Names that the generated `stages` module uses itself.
_IN_STAGES = frozenset(
    """Any FeatureState Handover Learning MODEL_DIR Path STAGES Settings annotations answering argparse contextlib handover json main
    metrics model_dir run_all run_stage save_model settings""".split()
)
_IN_PROCESS = {
    CONFIG: "the settings of a library",
    RANDOM_TENSORFLOW: "TensorFlow's random state",
    RANDOM_TORCH: "PyTorch's random state",
}


@dataclass(frozen=True)
class Crossing:
    """A value that an earlier stage gives."""

    stage: str
    name: str


@dataclass(frozen=True)
class PipelineStage:
    """One stage of ``dvc.yaml``."""

    name: str
    function: str  # what it is called in the generated `stages` module
    functions: tuple[StageFunction, ...]
    takes: tuple[Crossing, ...]
    gives: tuple[str, ...]
    previous: str | None  # whose random state it goes on with
    needs: tuple[str, ...]  # stages whose files it reads
    settings: tuple[str, ...]
    modules: tuple[str, ...]  # that its code stands in
    strings: frozenset[str]  # in its code, to tell which data files it reads
    suites: tuple[str, ...] = ()  # that it checks tables with
    learns: bool = False  # takes part in what the features learn
    learned_by: str | None = None  # the stage that learned before it
    saves_model: bool = False
    saves_state: bool = False
    measured_by: tuple[str, ...] = ()  # earlier stages whose metrics the last one adds
    last: bool = False
    joined: str = ""  # why it is more than one stage of the notebook

    def reads(self, files: Sequence[str]) -> list[str]:
        """Data files that it depends on: all for the first, for others those that its code names."""
        return [f for f in files if self.previous is None or f.rsplit("/", 1)[-1] in self._named]

    @property
    def _named(self) -> set[str]:
        return {text.replace("\\", "/").rsplit("/", 1)[-1] for text in self.strings}

    @property
    def measures(self) -> bool:
        """True when it gives metrics."""
        return any(one.measures for one in self.functions)


@dataclass
class _Group:
    first: int
    last: int
    reasons: list[str] = field(default_factory=list)


def pipeline_stages(
    functions: Sequence[StageFunction],
    modules: Mapping[str, ModulePlan],
    *,
    settings: Collection[SettingField],
    model: str,
    answer: Answer | None,
    kinds: Mapping[str, str] | None,
    local: Collection[str] = (),
    suites: Collection[str] = (),
) -> tuple[PipelineStage, ...]:
    """Stages of ``dvc.yaml`` for the stage functions, in their order.

    Parameters
    ----------
    kinds
        ``module.Class`` of each variable as the notebook's run showed it. None when it was not run: then everything is
        taken to be what it mostly is, tables, arrays and estimators.
    local
        Modules beside the notebook, which are copied into the project.
    suites
        Names of the suites in ``expectations/`` that stages check their tables with.
    """
    if not functions:
        return ()
    groups = _groups(functions, model, kinds)
    code = _Code(modules, {one.name for one in settings}, local)
    kept = {model} | ({answer.variable} if answer is not None and answer.variable else set())
    names = _names(functions, groups)
    group_of = {index: at for at, group in enumerate(groups) for index in range(group.first, group.last + 1)}
    takes: list[list[Crossing]] = [[] for _ in groups]
    gives: list[set[str]] = [set() for _ in groups]
    for index, name, giver in _crossings(functions):
        at, source = group_of[index], group_of[giver]
        if at != source:
            crossing = Crossing(names[source], name)
            if crossing not in takes[at]:
                takes[at].append(crossing)
            gives[source].add(name)
    # The model is saved where everything that is saved with it is there.
    saving = max((group_of[_last_giver(functions, name)] for name in kept if _given(functions, name)), default=len(groups) - 1)
    for name in sorted(kept):
        if _given(functions, name) and (source := group_of[_last_giver(functions, name)]) != saving:
            takes[saving].append(Crossing(names[source], name))
            gives[source].add(name)
    learning = [at for at, group in enumerate(groups) if any(f.state for f in functions[group.first : group.last + 1])]
    measuring = [at for at, group in enumerate(groups) if any(f.measures for f in functions[group.first : group.last + 1])]
    taken = {*_IN_STAGES, *(f.name for f in functions)}
    stages = []
    for at, group in enumerate(groups):
        own = tuple(functions[group.first : group.last + 1])
        read = code.read(own, answered=answer is not None and at == saving)
        last = at == len(groups) - 1
        learned = [one for one in learning if one < at] if at in learning else []
        measured = [names[one] for one in measuring if one < at] if last else []
        previous = names[at - 1] if at else None
        needs = {crossing.stage for crossing in takes[at]} | set(measured) | ({previous} if previous else set())
        needs |= {names[learned[-1]]} if learned else set()
        function = unique(PythonIdentifier(names[at], fallback="stage"), taken)
        taken.add(function)
        stages.append(
            PipelineStage(
                name=names[at], function=function, functions=own, takes=tuple(takes[at]), gives=tuple(sorted(gives[at])),
                previous=previous, needs=tuple(name for name in names if name in needs),
                settings=(*read.settings, *(["seed"] if at == 0 and "seed" not in read.settings else [])),
                modules=read.modules, suites=tuple(sorted(set(suites) & read.strings)) if read.checks else (), strings=read.strings, learns=at in learning,
                learned_by=names[learned[-1]] if learned else None, saves_model=at == saving,
                saves_state=bool(learning) and at == learning[-1], measured_by=tuple(measured), last=last,
                joined="; ".join(dict.fromkeys(group.reasons)),
            )
        )  # fmt: skip
    return tuple(stages)


def _given(functions: Sequence[StageFunction], name: str) -> bool:
    return any(name in _gives(one) for one in functions)


def _gives(function: StageFunction) -> set[str]:
    """What is new behind a function: what it returns, and what it was given and changed."""
    return {value.name for value in function.outputs} | (function.changes & {value.name for value in function.inputs})


def _last_giver(functions: Sequence[StageFunction], name: str, before: int | None = None) -> int:
    return max(index for index, one in enumerate(functions[:before]) if name in _gives(one))


def _crossings(functions: Sequence[StageFunction]) -> Iterator[tuple[int, str, int]]:
    """Index of a function, a name that it is given, and the function that has made it what it is."""
    for index, one in enumerate(functions):
        for value in one.inputs:
            yield index, value.name, _last_giver(functions, value.name, index)


def _storable(name: str, model: str, kinds: Mapping[str, str] | None) -> bool:
    if kinds is None or name == model:
        return True
    kind = kinds.get(name, "")
    if kind in _NOT_STORED:
        return False
    module = kind.rpartition(".")[0]
    return kind in _STORED or module == "numpy" or any(module == one or module.startswith(f"{one}.") for one in _STORED_MODULES)


def _groups(functions: Sequence[StageFunction], model: str, kinds: Mapping[str, str] | None) -> list[_Group]:
    together: list[tuple[int, int, str]] = []  # first, last, why
    for index, (one, following) in enumerate(pairwise(functions)):
        if one.step and one.step == following.step:
            together.append((index, index + 1, ""))  # by the user's own word
    for index, name, giver in _crossings(functions):
        if not _storable(name, model, kinds):
            kind = (kinds or {}).get(name)
            together.append(
                (giver, index, f"`{name}` ({kind.rpartition('.')[2] if kind else 'unknown'}) has no safe file format")
            )
    for index, one in enumerate(functions):
        for names in one.aliases:
            givers = [_last_giver(functions, n, index) for n in names if any(n in _gives(f) for f in functions[:index])]
            if givers:
                shown = " and ".join(f"`{n}`" for n in sorted(names)[:2])
                together.append((min(givers), index, f"{shown} may be one object, which is changed in place"))
        for state, what in _IN_PROCESS.items():
            changed = [at for at, earlier in enumerate(functions[:index]) if state in earlier.changes]
            if changed and state in one.relies:
                together.append((changed[0], index, f"{what} holds for one process"))
    groups = [_Group(index, index) for index in range(len(functions))]
    for first, last, why in together:
        met = [group for group in groups if group.first <= last and group.last >= first]
        if len(met) > 1 or met[0].first != met[0].last:
            reasons = [*(reason for group in met for reason in group.reasons), *([why] if first != last and why else [])]
            merged = _Group(met[0].first, met[-1].last, reasons)
            groups[groups.index(met[0]) : groups.index(met[-1]) + 1] = [merged]
    return groups


def _names(functions: Sequence[StageFunction], groups: Sequence[_Group]) -> list[str]:
    names: list[str] = []
    for group in groups:
        mine = functions[group.first : group.last + 1]
        if any(f.step for f in mine):
            name = unique("-".join(dict.fromkeys(f.step or f.stage for f in mine)), names, suffixes=())
        else:
            name = unique("-".join(dict.fromkeys(f.stage for f in mine)), names, suffixes=()).replace("_", "-")
        names.append(name)
    return names


@dataclass(frozen=True)
class _Read:
    settings: tuple[str, ...]
    modules: tuple[str, ...]
    strings: frozenset[str]
    checks: bool


class _Code:
    """What the code of the package reaches from a stage function: settings, modules, strings."""

    def __init__(self, modules: Mapping[str, ModulePlan], settings: set[str], local: Collection[str]) -> None:
        self.settings = settings
        self.defined: dict[str, list[tuple[str, ast.stmt]]] = {}
        for module, plan in modules.items():
            for block in plan.blocks:
                for node in ast.parse(block).body:
                    for name in _bound(node):
                        self.defined.setdefault(name, []).append((module, node))
        self.imported = {module: _roots(plan.imports) & set(local) for module, plan in modules.items()}

    def read(self, functions: Sequence[StageFunction], *, answered: bool) -> _Read:
        """What is reached from some functions. `answered`: also the module of the notebook's last step."""
        seen: set[str] = set()
        open_ = [f.name for f in functions]
        settings, strings, modules = set[str](), set[str](), set[str]()
        while open_:
            name = open_.pop()
            if name in seen:
                continue
            seen.add(name)
            for module, statement in self.defined.get(name, ()):
                modules.add(module)
                for node in ast.walk(statement):
                    match node:
                        case ast.Name(id=used):
                            open_.append(used)
                        case ast.Constant(value=str(text)):
                            strings.add(text)
                        case ast.Attribute(value=ast.Name(id="settings") | ast.Call(), attr=attr) if attr in self.settings:
                            settings.add(attr)
        local = {f"{root}.py" for module in modules for root in self.imported[module]}
        files = {f"{{package}}/{module}.py" for module in modules} | local
        files |= ({"{package}/answer.py"} if answered else set()) | ({"{package}/validation.py"} if CHECK in seen else set())
        return _Read(tuple(sorted(settings)), tuple(sorted(files)), frozenset(strings), CHECK in seen)


def _bound(node: ast.stmt) -> set[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _roots(imports: Sequence[str]) -> set[str]:
    return {line.split()[1].split(".")[0] for line in imports if line.startswith(("import ", "from "))}
