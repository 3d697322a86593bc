"""Randomness without a seed: another split, another model, other numbers at every run."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_mlops.notebook.checks.context import Call, Context, argument, constant
from jupyter_mlops.notebook.checks.registry import Finding, rule
from jupyter_mlops.notebook.display import is_display
from jupyter_mlops.notebook.hidden import RANDOM, RANDOM_PYTHON, RANDOM_TENSORFLOW, RANDOM_TORCH, is_seeded

_HEAD = "import pandas as pd\nimport numpy as np\nfrom sklearn.model_selection import train_test_split\ndf = pd.read_csv('data.csv')\n"
# Fitted twice on the same rows these differ, with their default settings.
_RANDOM = frozenset(
    """RandomForestClassifier RandomForestRegressor ExtraTreesClassifier ExtraTreesRegressor ExtraTreeClassifier
    ExtraTreeRegressor DecisionTreeClassifier DecisionTreeRegressor GradientBoostingClassifier GradientBoostingRegressor AdaBoostClassifier
    AdaBoostRegressor BaggingClassifier BaggingRegressor IsolationForest MLPClassifier MLPRegressor SGDClassifier SGDRegressor
    SGDOneClassSVM KMeans MiniBatchKMeans BisectingKMeans GaussianMixture BayesianGaussianMixture
    LatentDirichletAllocation FastICA DictionaryLearning TSNE UMAP GaussianRandomProjection SparseRandomProjection
    RandomTreesEmbedding RandomizedSearchCV HalvingRandomSearchCV ShuffleSplit StratifiedShuffleSplit GroupShuffleSplit
    RepeatedKFold RepeatedStratifiedKFold SMOTE SMOTENC SMOTEN ADASYN BorderlineSMOTE SVMSMOTE KMeansSMOTE RandomOverSampler
    RandomUnderSampler SMOTETomek SMOTEENN BalancedRandomForestClassifier RUSBoostClassifier EasyEnsembleClassifier
    RANSACRegressor TheilSenRegressor Nystroem RBFSampler BernoulliRBM""".split()
)
# These with some settings only.
_SHUFFLED = frozenset({"KFold", "StratifiedKFold", "StratifiedGroupKFold"})
_SAMPLING_GRADIENT = frozenset({"sag", "saga", "liblinear"})
_BOOSTED = frozenset("XGBClassifier XGBRegressor XGBRFClassifier XGBRFRegressor LGBMClassifier LGBMRegressor".split())
_BOOSTED_SAMPLES = frozenset(
    "subsample colsample_bytree colsample_bylevel colsample_bynode bagging_fraction feature_fraction".split()
)
_NETWORKS = frozenset("keras.Sequential keras.models.Sequential keras.Model keras.models.Model".split())
_NO_SAMPLE = frozenset(
    "seed get_state set_state RandomState default_rng Generator SeedSequence PCG64 Random getstate setstate mtrand".split()
)


def _seeded(context: Context, call: Call, stream: str = RANDOM) -> bool:
    """Whether the global generator was seeded before; inside of a function, whether it ever is."""
    index = len(context.statements) if call.function else call.statement.index
    return bool(context.analysis.reaching(index, stream))


@rule(
    "unseeded-split",
    "warning",
    "Rows are split without a seed, so that every run has other training and test rows.",
    bad=_HEAD + "train, test = train_test_split(df)\n",
    good=_HEAD + "train, test = train_test_split(df, random_state=0)\n",
    mends=True,
)
def unseeded_split(context: Context) -> Iterator[Finding]:
    """A split that does not shuffle, or comes after a seed of numpy, is the same every time."""
    for call in context.calls:
        shuffles = call.name == "train_test_split" or (
            call.name in _SHUFFLED and constant(argument(call.node, "shuffle")) is True
        )
        if not shuffles or is_seeded(call.node) or constant(argument(call.node, "shuffle")) is False:
            continue
        if call.name == "train_test_split" and not call.node.args:
            continue
        if not _seeded(context, call):
            yield Finding(
                call.statement.cell,
                call.node.lineno,
                f"{call.name} has no random_state: every run takes other rows, and no score can be compared with another.",
                "Give it a random_state.",
                context.add_argument(call.statement.cell, call.node, "random_state=0"),
            )


@rule(
    "unseeded-estimator",
    "warning",
    "An estimator that is fitted with random numbers has no seed, so that every run has another model.",
    bad="from sklearn.ensemble import RandomForestClassifier\nmodel = RandomForestClassifier()\nmodel.fit([[0], [1]], [0, 1])\n",
    good="from sklearn.ensemble import RandomForestClassifier\nmodel = RandomForestClassifier(random_state=0)\n"
    "model.fit([[0], [1]], [0, 1])\n",
    mends=True,
)
def unseeded_estimator(context: Context) -> Iterator[Finding]:
    """Only those whose fit differs with the settings given here."""
    for call in context.calls:
        if not _is_random(call) or is_seeded(call.node) or _seeded(context, call):
            continue
        yield Finding(
            call.statement.cell,
            call.node.lineno,
            f"{call.name} has no random_state: every run gives another model.",
            "Give it a random_state.",
            context.add_argument(call.statement.cell, call.node, "random_state=0"),
        )
    yield from _networks(context)


def _is_random(call: Call) -> bool:
    node = call.node
    if call.name in _RANDOM:
        return not call.origin.startswith((".", "pyspark", "cuml"))
    if call.name == "SVC":
        return constant(argument(node, "probability")) is True
    if call.name == "LogisticRegression":
        return constant(argument(node, "solver")) in _SAMPLING_GRADIENT
    if call.name in _BOOSTED:
        given = [k.value for k in node.keywords if k.arg in _BOOSTED_SAMPLES]
        return any(constant(one) not in (1, 1.0, None) for one in given)
    return False


def _networks(context: Context) -> Iterator[Finding]:
    """A neural network starts from random weights; one finding says it for the notebook."""
    seeds = {RANDOM_TENSORFLOW, RANDOM_TORCH}
    if any(context.analysis.reaching(len(context.statements), stream) for stream in seeds):
        return
    for call in context.calls:
        origin = call.origin.removeprefix("tensorflow.").removeprefix("tf_keras.")
        keras = origin in _NETWORKS
        if keras or call.origin.startswith("torch.optim."):
            how = "keras.utils.set_random_seed(0)" if keras else "torch.manual_seed(0)"
            yield Finding(
                call.statement.cell,
                call.node.lineno,
                "The network starts from random weights without a seed: every run gives another model.",
                f"Call {how} at the top.",
            )
            return


@rule(
    "unseeded-sampling",
    "warning",
    "Rows or numbers are drawn without a seed and are used later on.",
    bad=_HEAD + "part = df.sample(1000)\n",
    good=_HEAD + "part = df.sample(1000, random_state=0)\ndf.sample(5)\n",
    mends=True,
)
def unseeded_sampling(context: Context) -> Iterator[Finding]:
    """What is only shown may differ; one finding for each cell."""
    cells: set[int] = set()
    for call in context.calls:
        what, stream, name = _draws(call)
        cell = call.statement.cell
        if not what or cell in cells or is_display(call.statement) or _seeded(context, call, stream):
            continue
        cells.add(cell)
        edits = context.add_argument(cell, call.node, f"{name}=0") if name else ()
        yield Finding(
            cell,
            call.node.lineno,
            f"{what} without a seed: every run draws others.",
            f"Give it {name}=0." if name else "Seed the generator at the top, or draw from numpy.random.default_rng(0).",
            edits,
        )


def _draws(call: Call) -> tuple[str, str, str]:
    """What is drawn, from which stream, and the argument that would seed it."""
    node, origin, name = call.node, call.origin, call.name
    if is_seeded(node):
        return "", "", ""
    if origin == ".sample" and (node.args or any(k.arg in ("n", "frac") for k in node.keywords)):
        first = node.args[0] if node.args else None
        rows = first is None or isinstance(constant(first), (int, float)) or (isinstance(first, ast.Name) and len(node.args) == 1)
        return ("Rows are sampled", RANDOM, "random_state") if rows else ("", "", "")
    if origin in ("sklearn.utils.shuffle", "sklearn.utils.resample"):
        return f"{name} draws rows", RANDOM, "random_state"
    if origin.startswith("numpy.random.") and name not in _NO_SAMPLE:
        return f"np.random.{name} draws numbers", RANDOM, ""
    if origin == "numpy.random.default_rng" and not node.args:
        return "default_rng makes a generator", "", ""
    if origin.startswith("random.") and name not in _NO_SAMPLE:
        return f"random.{name} draws", RANDOM_PYTHON, ""
    return "", "", ""
