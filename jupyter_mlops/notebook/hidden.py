"""State that no name of the notebook refers to: random generators, files, plots, settings of libraries.

Each is modelled as a pseudo-name in angle brackets, which cannot clash with a real one. Statements use and change
pseudo-names as they do variables, so that a slice keeps ``np.random.seed(0)`` for an unseeded split and the
``df.to_csv(path)`` that a later ``pd.read_csv(path)`` reads.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = [
    "CONFIG",
    "FILES",
    "PLOT",
    "RANDOM",
    "HiddenEffect",
    "function_effects",
    "is_plotting",
    "is_seeded",
    "method_effects",
    "open_effects",
    "samples",
]

RANDOM = "<random>"
RANDOM_PYTHON = "<random:python>"
RANDOM_TENSORFLOW = "<random:tensorflow>"
RANDOM_TORCH = "<random:torch>"
FILES = "<files>"
PLOT = "<plot>"
CONFIG = "<config>"


@dataclass(frozen=True)
class HiddenEffect:
    """One effect on a pseudo-name. ``"sample"`` moves a random stream on, ``"reset"`` makes what was before moot."""

    name: str
    how: str  # "use" | "change" | "reset" | "sample"


_SEEDS: dict[str, tuple[str, ...]] = {
    "numpy.random.seed": (RANDOM,),
    "numpy.random.set_state": (RANDOM,),
    "random.seed": (RANDOM_PYTHON,),
    "random.setstate": (RANDOM_PYTHON,),
    "tensorflow.random.set_seed": (RANDOM_TENSORFLOW,),
    "tensorflow.set_random_seed": (RANDOM_TENSORFLOW,),
    "tensorflow.compat.v1.set_random_seed": (RANDOM_TENSORFLOW,),
    "tensorflow.keras.utils.set_random_seed": (RANDOM, RANDOM_PYTHON, RANDOM_TENSORFLOW),
    "keras.utils.set_random_seed": (RANDOM, RANDOM_PYTHON, RANDOM_TENSORFLOW),
    "torch.manual_seed": (RANDOM_TORCH,),
    "torch.cuda.manual_seed": (RANDOM_TORCH,),
    "torch.cuda.manual_seed_all": (RANDOM_TORCH,),
    "torch.random.manual_seed": (RANDOM_TORCH,),
    "pytorch_lightning.seed_everything": (RANDOM, RANDOM_PYTHON, RANDOM_TORCH),
    "lightning.seed_everything": (RANDOM, RANDOM_PYTHON, RANDOM_TORCH),
    "transformers.set_seed": (RANDOM, RANDOM_PYTHON, RANDOM_TORCH),
    "sklearn.utils.check_random_state": (),
}
_SEEDED_BY = frozenset({"random_state", "seed", "random_seed", "rng", "generator"})

# Types that draw from numpy's global generator when they are fitted without a seed; names, since the same classes
# are re-exported in many places. Unlisted types are taken for deterministic.
_STOCHASTIC = frozenset(
    """RandomForestClassifier RandomForestRegressor ExtraTreesClassifier ExtraTreesRegressor ExtraTreeClassifier
    ExtraTreeRegressor DecisionTreeClassifier DecisionTreeRegressor GradientBoostingClassifier GradientBoostingRegressor
    HistGradientBoostingClassifier HistGradientBoostingRegressor AdaBoostClassifier AdaBoostRegressor BaggingClassifier
    BaggingRegressor IsolationForest MLPClassifier MLPRegressor SGDClassifier SGDRegressor SGDOneClassSVM Perceptron
    PassiveAggressiveClassifier PassiveAggressiveRegressor LogisticRegression LinearSVC LinearSVR SVC NuSVC KMeans
    MiniBatchKMeans BisectingKMeans SpectralClustering GaussianMixture BayesianGaussianMixture
    LatentDirichletAllocation NMF TruncatedSVD PCA IncrementalPCA FastICA FactorAnalysis DictionaryLearning TSNE UMAP
    MDS GaussianRandomProjection SparseRandomProjection RandomTreesEmbedding RandomizedSearchCV HalvingGridSearchCV
    HalvingRandomSearchCV ShuffleSplit StratifiedShuffleSplit GroupShuffleSplit RepeatedKFold RepeatedStratifiedKFold
    SMOTE SMOTENC SMOTEN ADASYN BorderlineSMOTE SVMSMOTE KMeansSMOTE RandomOverSampler RandomUnderSampler SMOTETomek
    SMOTEENN NearMiss BalancedRandomForestClassifier RUSBoostClassifier EasyEnsembleClassifier IterativeImputer
    QuantileTransformer KBinsDiscretizer RANSACRegressor TheilSenRegressor Nystroem RBFSampler BernoulliRBM Ridge
    RidgeClassifier Lasso ElasticNet Lars StackingClassifier StackingRegressor CalibratedClassifierCV
    GaussianProcessClassifier GaussianProcessRegressor XGBClassifier XGBRegressor LGBMClassifier LGBMRegressor
    CatBoostClassifier CatBoostRegressor""".split()
)
_SAMPLING_FUNCTIONS = frozenset(
    """train_test_split shuffle resample make_classification make_regression make_blobs make_moons make_circles
    make_swiss_roll make_s_curve make_gaussian_quantiles make_friedman1 make_sparse_coded_signal permutation_importance
    mutual_info_classif mutual_info_regression k_means fetch_olivetti_faces randomized_svd permutation_test_score""".split()
)
_NOT_SAMPLING = frozenset({"seed", "get_state", "getstate", "RandomState", "default_rng", "Generator", "Random", "SeedSequence"})
_FITS = frozenset(
    """fit fit_transform fit_predict fit_resample partial_fit split""".split()
)  # fmt: skip
_EVALUATES_BY_FITTING = frozenset(
    "cross_val_score cross_validate cross_val_predict learning_curve validation_curve permutation_test_score".split()
)

_READERS = frozenset(
    """load loadtxt genfromtxt fromfile load_model load_weights read_csv read_table read_excel read_json read_parquet
    read_pickle read_feather read_hdf read_sql read_html read_fwf imread load_npz safe_load listdir glob exists isfile isdir walk
    load_img load_files image_dataset_from_directory flow_from_directory ImageFolder read_text read_bytes iterdir rglob is_file
    is_dir open ZipFile TarFile load_workbook from_pretrained scandir getsize stat""".split()
)
_WRITERS = {  # name -> position of the path among the arguments of the call
    "to_csv": 0, "to_parquet": 0, "to_pickle": 0, "to_json": 0, "to_excel": 0, "to_hdf": 0, "to_feather": 0,
    "savefig": 0, "save_model": 0, "save_weights": 0, "savetxt": 0, "savez": 0, "imwrite": 0, "imsave": 0, "tofile": 0,
    "save_pretrained": 0, "write_csv": 0, "write_parquet": 0, "to_html": 0,
}  # fmt: skip
_ANY_FILE = frozenset(
    """os.makedirs os.mkdir os.rename os.replace os.remove os.unlink os.chdir shutil.copy shutil.copyfile shutil.copytree
    shutil.move shutil.rmtree shutil.unpack_archive urllib.request.urlretrieve wget.download gdown.download subprocess.run
    subprocess.call subprocess.check_call subprocess.check_output os.system tensorflow.keras.utils.get_file
    keras.utils.get_file kaggle.api.dataset_download_files opendatasets.download""".split()
)
_ANY_FILE_METHODS = frozenset("extractall mkdir unlink rename rmdir touch urlretrieve symlink_to".split())

_CONFIG_FUNCTIONS = frozenset(
    """sklearn.set_config numpy.seterr os.chdir sys.path.append sys.path.insert sys.path.extend locale.setlocale
    tensorflow.keras.backend.set_floatx tensorflow.config.run_functions_eagerly torch.set_default_dtype
    torch.set_default_device torch.set_default_tensor_type decimal.getcontext
    os.environ.update os.environ.setdefault os.putenv dotenv.load_dotenv socket.setdefaulttimeout""".split()
)
_SILENT_CONFIG = ("warnings.", "logging.", "IPython.", "matplotlib.", "seaborn.set", "plotly.io.")
_PLOT_PACKAGES = ("matplotlib", "seaborn", "pylab")
_PLOT_RESETS = frozenset("figure subplots show close clf cla".split())
_PLOT_METHODS = frozenset("plot hist boxplot".split())


def is_plotting(origin: str) -> bool:
    """Whether a dotted name belongs to a library that only draws."""
    return origin.split(".")[0] in _PLOT_PACKAGES


def is_seeded(node: ast.Call) -> bool:
    """Whether a call is given a seed, or options that may hold one."""
    for keyword in node.keywords:
        if keyword.arg is None:
            return True  # **options may hold the seed; which they do is not known
        if keyword.arg in _SEEDED_BY:
            return not (isinstance(keyword.value, ast.Constant) and keyword.value.value is None)
    return False


def samples(origin: str, node: ast.Call) -> bool:
    """Whether a constructor makes an object that samples from the global generator later on."""
    return origin.rpartition(".")[2] in _STOCHASTIC and not is_seeded(node)


def function_effects(origin: str, node: ast.Call, stochastic: bool) -> Iterator[HiddenEffect]:
    """Effects of calling a library's function; `stochastic` says whether an argument samples when it is fitted."""
    package, _, _ = origin.partition(".")
    last = origin.rpartition(".")[2]
    seeds = _SEEDS.get(origin)
    if seeds is not None:
        # `np.random.seed()` without a value still resets: what was seeded before does not matter any more.
        yield from (HiddenEffect(name, "reset") for name in seeds)
        return
    if origin.startswith("numpy.random.") and last not in _NOT_SAMPLING:
        yield HiddenEffect(RANDOM, "sample")
    elif package == "random" and origin != "random" and last not in _NOT_SAMPLING:
        yield HiddenEffect(RANDOM_PYTHON, "sample")
    elif package == "scipy" and last == "rvs" and not is_seeded(node):
        yield HiddenEffect(RANDOM, "sample")
    elif package == "torch":
        yield HiddenEffect(RANDOM_TORCH, "sample")
    elif package in ("tensorflow", "keras"):
        yield from (HiddenEffect(name, "sample") for name in (RANDOM_TENSORFLOW, RANDOM_PYTHON, RANDOM))
    elif (last in _SAMPLING_FUNCTIONS and not is_seeded(node)) or (last in _EVALUATES_BY_FITTING and stochastic):
        yield HiddenEffect(RANDOM, "sample")
    if is_plotting(origin):
        yield HiddenEffect(PLOT, "reset" if last in _PLOT_RESETS else "change")
        yield HiddenEffect(PLOT, "use")
    yield from _config(origin, last, node)
    yield from _files(origin, last, node)


def _config(origin: str, last: str, node: ast.Call) -> Iterator[HiddenEffect]:
    if origin.startswith(_SILENT_CONFIG):
        return
    if origin in _CONFIG_FUNCTIONS or (last == "set_option" and not _is_display_option(node)):
        yield HiddenEffect(CONFIG, "change")


def _is_display_option(node: ast.Call) -> bool:
    first = node.args[0] if node.args else None
    if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
        return True
    return not first.value.startswith(("mode", "future", "compute", "io"))


def _path(node: ast.expr | None) -> str:
    return f"<file:{ast.unparse(node)}>" if node is not None else FILES


def _argument(node: ast.Call, position: int) -> ast.expr | None:
    return node.args[position] if len(node.args) > position else None


def _files(origin: str, last: str, node: ast.Call) -> Iterator[HiddenEffect]:
    if origin in _ANY_FILE:
        yield HiddenEffect(FILES, "change")
        yield HiddenEffect(FILES, "use")
    elif origin in ("joblib.dump", "numpy.save", "torch.save", "skops.io.dump", "cloudpickle.dump"):
        position = 0 if origin == "numpy.save" else 1
        yield HiddenEffect(_path(_argument(node, position)), "change")
    elif last in _WRITERS:
        yield HiddenEffect(_path(_argument(node, _WRITERS[last])), "change")
    elif last in _READERS and origin not in ("json.load", "pickle.load"):
        yield HiddenEffect(FILES, "use")
        yield HiddenEffect(_path(_argument(node, 0)), "use")


def open_effects(node: ast.Call) -> Iterator[HiddenEffect]:
    """Effects of the builtin ``open``."""
    mode = _argument(node, 1) or next((k.value for k in node.keywords if k.arg == "mode"), None)
    text = mode.value if isinstance(mode, ast.Constant) and isinstance(mode.value, str) else "r"
    path = _path(_argument(node, 0))
    yield HiddenEffect(FILES, "use")
    if set(text) & set("wax+"):
        yield HiddenEffect(path, "change")
    if "w" not in text:
        yield HiddenEffect(path, "use")


def method_effects(name: str, node: ast.Call, stochastic: bool) -> Iterator[HiddenEffect]:
    """Effects of calling a method of an object of a library."""
    if (name in _FITS and stochastic) or (name in ("sample", "rvs") and not is_seeded(node)):
        yield HiddenEffect(RANDOM, "sample")
    if name in _PLOT_METHODS:
        yield HiddenEffect(PLOT, "change")
        yield HiddenEffect(PLOT, "use")
    if name in _WRITERS and node.args:
        yield HiddenEffect(_path(_argument(node, _WRITERS[name])), "change")
    elif name == "save" and node.args:
        yield HiddenEffect(_path(_argument(node, 0)), "change")
    elif name in ("write_text", "write_bytes") and isinstance(node.func, ast.Attribute):
        yield HiddenEffect(_path(node.func.value), "change")
    elif name in _ANY_FILE_METHODS and not (name == "rename" and (node.keywords or not node.args)):
        yield HiddenEffect(FILES, "change")
        yield HiddenEffect(FILES, "use")
    elif name in _READERS and isinstance(node.func, ast.Attribute):
        yield HiddenEffect(FILES, "use")
        yield HiddenEffect(_path(node.func.value), "use")
