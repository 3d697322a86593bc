"""Where exporters go wrong: text outside ASCII, narrow dtypes, settings that are ignored, and the rest of the estimators."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn import (
    calibration,
    cluster,
    compose,
    decomposition,
    discriminant_analysis,
    dummy,
    ensemble,
    feature_selection,
    impute,
    linear_model,
    model_selection,
    multiclass,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)
from sklearn.base import clone
from sklearn.feature_extraction import text

from tests.unit.export.matrix import (
    NUMBERS,
    Data,
    OneHot,
    Ordinal,
    forest,
    histogram,
    lgbm,
    lgbm_regressor,
    load,
    logistic,
    mixed,
    scaled,
    tree_classifier,
    xgb,
    xgb_regressor,
)

__all__ = ["TRAPS", "Trap"]


@dataclass(frozen=True)
class Trap:
    """An estimator on data made for it; `refused` is part of the reason where there is no ONNX form."""

    name: str
    data: Callable[[], Data]
    build: Callable[[], Any]
    task: str = "classification"
    refused: str | None = None

    def fit(self) -> Any:
        """The fitted estimator."""
        data = self.data()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # convergence and deprecations are not what these tests are about
            return self.build().fit(data.rows, data.target)


TEXTS = [
    "Café au lait à Zürich",
    "İstanbul TAKSİ durağı, ABİCD",
    "taksi istanbul durağı abi",
    "the \N{KELVIN SIGN}elvin scale of \N{ANGSTROM SIGN}ngström",
    "kelvin keep the making of ångström",
    "Straße STRASSE straße",
    "NAÏVE naïve CAFÉ",
    "東京 タワー 東京",
    "don't stop_words 12 ١٢ ½ x",
    "e\u0301te\u0301 ÉTÉ été",
    "Привет мир привет",
    "",
    "  ... !",
    "ﬁne ﬁne kkkkkkkkkk",
]


@cache
def words(layout: str = "series") -> Data:
    """Short texts in several scripts, some empty; the label is hard to learn, so that every word counts."""
    rows = [TEXTS[i % len(TEXTS)] + (" the end" if i % 5 == 0 else "") for i in range(6 * len(TEXTS))]
    labels = np.array([(i % len(TEXTS)) * 7 % 3 for i in range(len(rows))])
    if layout == "list":
        return Data(rows, labels, "series")
    if layout == "frame":
        numbers = np.random.default_rng(0).normal(size=len(rows))
        return Data(pd.DataFrame({"title": rows[::-1], "body": rows, "size": numbers}), labels)
    return Data(pd.Series(rows, name="text"), labels, "series")


def greek() -> Data:
    """Capital sigma is lowered by its place in the word."""
    return Data(pd.Series(["ΟΔΟΣ οδος", "οδοσ ΣΑΣ", "άλλο"] * 9, name="text"), np.arange(27) % 3, "series")


@cache
def narrow(dtype: str) -> Data:
    """Two columns of a narrow dtype."""
    random = np.random.default_rng(2)
    if dtype == "float32":
        frame = pd.DataFrame({"a": random.normal(1e6, 1.0, 600), "b": random.normal(size=600)}).astype(dtype)
        return Data(frame, (frame["a"] - 1e6 + frame["b"] > 0.5).astype(int))
    frame = pd.DataFrame({"a": random.integers(0, 255, 400), "b": random.integers(0, 9, 400)}).astype(dtype)
    return Data(frame, ((frame["a"] > 100) ^ (frame["b"] > 4)).astype(int))


@cache
def categories(kind: str) -> Data:
    """A category with missing values, a category of integers, a number."""
    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "c": pd.Categorical(random.choice(["a", "b", "ü"], 500)),
            "k": pd.Categorical(random.choice([3, 1, 2], 500)),
            "f": random.normal(size=500),
        }
    )
    frame.loc[::9, "c"] = None
    target = ((frame["c"] == "a") ^ (frame["f"] > 0)).astype(int)
    if kind == "codes":
        frame = frame.assign(c=frame["c"].cat.codes.astype(float), k=frame["k"].astype(int))
    if kind == "nullable":
        frame = pd.DataFrame(
            {
                "i": pd.array(random.integers(0, 5, 500), dtype="Int64"),
                "b": pd.array(random.random(500) > 0.5, dtype="boolean"),
                "f": frame["f"],
            }
        )
        frame.loc[::7, "i"] = pd.NA
        frame.loc[::11, "b"] = pd.NA
    if kind == "two nulls":
        values = np.array(["a", "b", None, np.nan], dtype=object)
        frame = pd.DataFrame({"c": random.choice(values, 500), "f": frame["f"]})
    if kind == "mixed":
        frame = pd.DataFrame({"c": random.choice(np.array([1, "b", 2.5], dtype=object), 500), "f": frame["f"]})
    if kind == "large integers":
        frame = pd.DataFrame({"c": 2**53 + random.integers(0, 7, 500), "f": frame["f"]})
    if kind == "dates":
        frame = pd.DataFrame({"c": pd.date_range("2024-01-01", periods=500), "f": frame["f"]})
    return Data(frame, target)


def several(name: str, *, labels: bool) -> Data:
    """A data set with two targets."""
    data = load(name)
    columns = [data.target == 0, data.target == 1] if labels else [data.target, data.target]
    return replace(data, target=np.column_stack(columns).astype(int if labels else float))


def counted() -> Data:
    """Numbers that are not negative."""
    data = load("wine")
    return Data((data.rows * 3).round().astype(int), data.target)


def tfidf(**options: Any) -> Callable[[], Any]:
    return lambda: pipeline.make_pipeline(text.TfidfVectorizer(**options), logistic())


def on_tree(front: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: pipeline.make_pipeline(front(), tree_classifier())


def as_is(estimator: Any) -> Callable[[], Any]:
    return lambda: clone(estimator)


def function(done: Any) -> Callable[[], Any]:
    return on_tree(lambda: preprocessing.FunctionTransformer(done))


def one_hot() -> Any:
    return compose.make_column_transformer((OneHot(handle_unknown="ignore"), ["c"]), remainder="passthrough")


def by_type(x: Any) -> Any:
    """Does something else to a frame than to an array."""
    return x * 2 if isinstance(x, pd.DataFrame) else np.abs(x)


def noisy(x: Any) -> Any:
    return x + np.random.default_rng().normal()


def decides(x: Any) -> Any:
    return x if np.sum(x) else -x


def in_place(x: Any) -> Any:
    x = x.copy()
    x[x < 0] = 0
    return x


def data(name: str) -> Callable[[], Data]:
    """A data set of the matrix."""
    return partial(load, name)


R = "regression"
TRAPS = [
    # Text
    Trap("words", words, tfidf()),
    Trap("words, list", partial(words, "list"), tfidf()),
    Trap("words, bigrams", words, tfidf(ngram_range=(1, 2))),
    Trap("words, only trigrams", words, tfidf(ngram_range=(3, 3))),
    Trap("words, sublinear", words, tfidf(sublinear_tf=True, norm="l1", smooth_idf=False)),
    Trap("words, english stop words", words, tfidf(stop_words="english", ngram_range=(1, 2))),
    Trap("words, own stop words", words, tfidf(stop_words=["café", "été", "kelvin", "Été"], ngram_range=(1, 2))),
    Trap("words, stop words, single", words, tfidf(stop_words=["café", "durağı"])),
    Trap("words, case kept", words, tfidf(lowercase=False)),
    Trap("words, single letters", words, tfidf(token_pattern=r"(?u)\b\w+\b")),
    Trap("words, long ones", words, tfidf(token_pattern=r"(?u)\b\w{3,}\b")),
    Trap("words, letters of ASCII", words, tfidf(token_pattern=r"[a-z]+")),
    Trap("words, few features", words, tfidf(max_features=8)),
    Trap("words, fixed vocabulary", words, tfidf(vocabulary=["taksi", "kelvin", "Été", "zürich"])),
    Trap("words, counts", words, lambda: pipeline.make_pipeline(
        text.CountVectorizer(ngram_range=(1, 3)), naive_bayes.ComplementNB())),
    Trap("words, svd", words, lambda: pipeline.make_pipeline(
        text.TfidfVectorizer(), decomposition.TruncatedSVD(3, random_state=0), svm.LinearSVC())),
    Trap("words beside numbers", partial(words, "frame"), lambda: pipeline.make_pipeline(
        compose.ColumnTransformer([("a", text.TfidfVectorizer(), "title"), ("b", text.CountVectorizer(), "body"),
                                   ("n", preprocessing.StandardScaler(), ["size"])]), forest())),
    Trap("greek", greek, tfidf(), refused="sigma"),
    Trap("accents", words, tfidf(strip_accents="unicode"), refused="strip_accents"),
    Trap("own tokenizer", words, tfidf(tokenizer=str.split, token_pattern=None), refused="tokenizer"),
    Trap("hashing", words, lambda: pipeline.make_pipeline(text.HashingVectorizer(n_features=64), logistic()),
         refused="HashingVectorizer"),
    # Dtypes
    Trap("float32, tree", partial(narrow, "float32"), tree_classifier),
    Trap("float32, hist boosting", partial(narrow, "float32"), histogram),
    Trap("float32, svc", partial(narrow, "float32"), svm.SVC),
    Trap("float32, xgboost", partial(narrow, "float32"), xgb),
    Trap("float32, lightgbm", partial(narrow, "float32"), lgbm),
    Trap("float32, imputed forest", partial(narrow, "float32"), lambda: pipeline.make_pipeline(
        impute.SimpleImputer(), forest())),
    Trap("float32, scaled tree", partial(narrow, "float32"), scaled(tree_classifier), refused="float32"),
    Trap("float32, logistic", partial(narrow, "float32"), logistic, refused="float32"),
    Trap("float32, naive bayes", partial(narrow, "float32"), naive_bayes.GaussianNB, refused="float32"),
    Trap("bytes, tree", partial(narrow, "uint8"), scaled(tree_classifier)),
    Trap("bytes that overflow", partial(narrow, "uint8"), function(lambda x: x * 2), refused="differently"),
    Trap("nullable dtypes", partial(categories, "nullable"), histogram),
    Trap("nullable dtypes, imputed", partial(categories, "nullable"), lambda: pipeline.make_pipeline(
        impute.SimpleImputer(strategy="most_frequent", add_indicator=True), forest())),
    Trap("None and nan", partial(categories, "two nulls"), on_tree(one_hot), refused="differently"),
    Trap("text among numbers", partial(categories, "mixed"), on_tree(lambda: compose.make_column_transformer(
        ("passthrough", ["f"]))), refused="mixes"),
    Trap("large integers", partial(categories, "large integers"), on_tree(one_hot), refused="does not tell"),
    Trap("dates", partial(categories, "dates"), on_tree(lambda: compose.make_column_transformer(
        ("passthrough", ["f"]))), refused="dates"),
    Trap("category dtype", partial(categories, "category"), lambda: histogram(categorical_features="from_dtype")),
    Trap("category by name", partial(categories, "codes"), lambda: histogram(categorical_features=["c"])),
    Trap("columns in another order", data("penguins"), lambda: pipeline.make_pipeline(
        compose.ColumnTransformer([("b", Ordinal(handle_unknown="use_encoded_value", unknown_value=-1), ["decade", "sex"]),
                                   ("a", impute.SimpleImputer(add_indicator=True), NUMBERS[::-1])]), tree_classifier())),
    Trap("string dtype", lambda: Data(load("penguins").rows.astype({"island": "string"}), load("penguins").target),
         lambda: pipeline.make_pipeline(mixed(), forest())),
    # Boosting libraries
    Trap("lightgbm, category", partial(categories, "category"), lgbm),
    Trap("lightgbm, codes", partial(categories, "codes"), lambda: lgbm(categorical_feature=[0])),
    Trap("lightgbm, linear trees", data("diabetes"), lambda: lgbm_regressor(linear_tree=True), R, refused="linear_tree"),
    Trap("lightgbm, forest", data("diabetes"), lambda: lgbm_regressor(
        boosting_type="rf", bagging_freq=1, bagging_fraction=0.7), R, refused="rf"),
    Trap("lightgbm, dart", data("diabetes"), lambda: lgbm_regressor(boosting_type="dart"), R, refused="dart"),
    Trap("lightgbm, poisson", data("diabetes"), lambda: lgbm_regressor(objective="poisson"), R),
    Trap("lightgbm, own objective", data("diabetes"), lambda: lgbm_regressor(
        objective=lambda y, p: (p - y, np.ones_like(y))), R, refused="objective"),
    Trap("lightgbm, zero as missing", data("diabetes"), lambda: lgbm_regressor(zero_as_missing=True), R,
         refused="zero_as_missing"),
    Trap("xgboost, category", partial(categories, "category"), lambda: xgb(enable_categorical=True), refused="categorical"),
    Trap("xgboost, linear", data("diabetes"), lambda: xgb_regressor(booster="gblinear"), R, refused="gblinear"),
    Trap("xgboost, dart", data("diabetes"), lambda: xgb_regressor(booster="dart"), R, refused="dart"),
    Trap("xgboost, gamma", data("diabetes"), lambda: xgb_regressor(objective="reg:gamma"), R),
    Trap("xgboost, missing is 0", data("diabetes"), lambda: xgb_regressor(missing=0.0), R, refused="missing"),
    Trap("xgboost, softmax", data("wine"), lambda: xgb(objective="multi:softmax")),
    Trap("xgboost, hinge", data("cancer"), lambda: xgb(objective="binary:hinge"), refused="hinge"),
    Trap("xgboost, forest", data("wine"), lambda: _module("xgboost").XGBRFClassifier(n_estimators=5)),
    Trap("xgboost, forest regressor", data("diabetes"), lambda: _module("xgboost").XGBRFRegressor(n_estimators=5), R),
    # More than one answer, or none
    *(Trap(f"two targets, {name}", partial(several, "diabetes", labels=False), build, R, refused="more than one target")
      for name, build in {
          "linear": linear_model.LinearRegression, "forest": lambda: ensemble.RandomForestRegressor(5),
          "neighbours": neighbors.KNeighborsRegressor, "mean": dummy.DummyRegressor,
          "transformed": compose.TransformedTargetRegressor}.items()),
    Trap("two targets, network", partial(several, "diabetes", labels=False),
         lambda: neural_network.MLPRegressor(hidden_layer_sizes=(4,), max_iter=5), R, refused="more than one target"),
    *(Trap(f"two labels, {name}", partial(several, "wine", labels=True), build, refused=reason)
      for name, build, reason in (
          ("forest", lambda: ensemble.RandomForestClassifier(5), "more than one target"),
          ("neighbours", neighbors.KNeighborsClassifier, "more than one target"),
          ("ridge", linear_model.RidgeClassifier, "several labels"),
          ("one vs rest", lambda: multiclass.OneVsRestClassifier(logistic()), "several labels"),
          ("network", lambda: neural_network.MLPClassifier((4,), max_iter=5), "several labels"))),
    # Functions
    Trap("function, log10", data("wine"), function(np.log10)),
    Trap("function, where", data("wine"), function(lambda x: np.where(x > 2, x, 0.5 * x))),
    Trap("function, bounds", data("wine"), function(lambda x: np.minimum(np.maximum(x, 1.0), 3.0))),
    Trap("function, powers", data("wine"), function(lambda x: x**2 + x**0.5 - 2 ** (-x))),
    Trap("function, row of numbers", data("wine"), function(lambda x: x + np.arange(13))),
    *(Trap(f"function, {name}", data("cancer array"), function(done), refused="unction")
      for name, done in {
          "noise": noisy, "decision": decides, "in place": in_place, "integers": lambda x: x.astype(int),
          "remainder": lambda x: x % 2, "sum": lambda x: x.sum(axis=1, keepdims=True), "round": lambda x: np.round(x, 1),
          "shape": lambda x: x.reshape(x.shape[0], -1), "cube root": np.cbrt, "new axis": lambda x: x[:, None][:, 0]}.items()),
    Trap("function, by type", data("wine"), function(by_type), refused="FunctionTransformer"),
    Trap("function, column of the frame", data("wine"), function(lambda x: x[["ash", "hue"]]), refused="unction"),
    # Wrappers
    Trap("ovr, full trees", data("wine"), lambda: multiclass.OneVsRestClassifier(tree_classifier())),
    Trap("ovr, svc", data("wine"), scaled(lambda: multiclass.OneVsRestClassifier(svm.LinearSVC()))),
    Trap("ovo", data("wine"), scaled(lambda: multiclass.OneVsOneClassifier(logistic())), refused="OneVsOne"),
    Trap("svc with probabilities", data("cancer"), scaled(lambda: svm.SVC(probability=True, random_state=0)),
         refused="CalibratedClassifierCV"),
    Trap("ada boost, five classes", data("digits"), lambda: ensemble.AdaBoostClassifier(n_estimators=12, random_state=0)),
    Trap("ada boost regressor, ridge", data("diabetes"), lambda: ensemble.AdaBoostRegressor(
        linear_model.Ridge(), n_estimators=4, random_state=0), R),
    Trap("voting, ties", data("digits"), lambda: ensemble.VotingClassifier(
        [(str(i), tree.DecisionTreeClassifier(max_depth=3, random_state=i, max_features=8)) for i in range(4)])),
    Trap("voting, flatten_transform", data("wine"), lambda: ensemble.VotingClassifier(
        [("a", forest()), ("b", logistic()), ("c", "drop")], voting="soft", flatten_transform=False)),
    Trap("stacking, text labels", data("penguins"), lambda: pipeline.make_pipeline(mixed(), ensemble.StackingClassifier(
        [("a", svm.LinearSVC()), ("b", forest()), ("c", "drop")], cv=2))),
    Trap("stacking, predict", data("penguins"), lambda: pipeline.make_pipeline(mixed(), ensemble.StackingClassifier(
        [("a", linear_model.RidgeClassifier()), ("b", tree_classifier())], stack_method="predict", cv=2))),
    Trap("bagging, holes", data("cancer holes"), lambda: ensemble.BaggingClassifier(histogram(), 2, random_state=0)),
    Trap("bagging, features", data("wine"), lambda: ensemble.BaggingClassifier(
        svm.LinearSVC(), 4, bootstrap_features=True, max_features=0.5, random_state=0)),
    *(Trap(f"calibrated, {method}, {name}", data(name), scaled(partial(
        calibration.CalibratedClassifierCV, svm.SVC(), method=method, cv=2, ensemble=False)))
      for method in ("sigmoid", "isotonic", "temperature") for name in ("cancer", "wine")),
    Trap("tuned threshold, forest", data("cancer"), lambda: model_selection.TunedThresholdClassifierCV(
        forest(), scoring="f1", cv=2)),
    Trap("tuned threshold, svc", data("cancer"), scaled(lambda: model_selection.TunedThresholdClassifierCV(
        svm.LinearSVC(), cv=2))),
    Trap("target through a quantile", data("diabetes"), lambda: compose.TransformedTargetRegressor(
        linear_model.Ridge(), transformer=preprocessing.QuantileTransformer(n_quantiles=20)), R, refused="Quantile"),
    Trap("target through a robust scaler", data("diabetes"), lambda: compose.TransformedTargetRegressor(
        linear_model.Ridge(), transformer=preprocessing.RobustScaler()), R),
    Trap("column of targets", lambda: replace(load("diabetes"), target=np.asarray(load("diabetes").target).reshape(-1, 1)),
         lambda: ensemble.RandomForestRegressor(5, random_state=0), R),
    Trap("halving search", data("cancer"), lambda: _halving("HalvingGridSearchCV")(
        logistic(), {"C": [0.1, 1.0]}, cv=2, random_state=0)),
    Trap("halving random search", data("cancer"), lambda: _halving("HalvingRandomSearchCV")(
        logistic(), {"C": [0.1, 1.0]}, n_candidates=2, cv=2, random_state=0)),
    # Neighbours, exact to the last bit where scikit-learn searches a tree
    *(Trap(f"neighbours, {algorithm}", data("wine"), scaled(partial(
        neighbors.KNeighborsClassifier, 4, weights="distance", algorithm=algorithm)))
      for algorithm in ("kd_tree", "ball_tree")),
    # Brute force subtracts squares: at its own training rows the distance is rounding noise that depends on the processor
    Trap("neighbours, brute", data("wine"), scaled(partial(neighbors.KNeighborsClassifier, 4, algorithm="brute"))),
    Trap("neighbours, city blocks", data("wine"), lambda: neighbors.KNeighborsClassifier(p=1), refused="p=1"),
    # Transformers that the matrix does not hold
    *(Trap(f"bins, {encode}, {strategy}", data("wine"), on_tree(partial(
        preprocessing.KBinsDiscretizer, 4, encode=encode, strategy=strategy)))
      for encode, strategy in (("onehot", "quantile"), ("onehot-dense", "kmeans"), ("ordinal", "uniform"))),
    *(Trap(f"transformer, {name}", data("wine"), on_tree(build))
      for name, build in {
          "squares": lambda: preprocessing.PolynomialFeatures((2, 3), include_bias=False),
          "max abs": preprocessing.MaxAbsScaler, "norm l1": lambda: preprocessing.Normalizer("l1"),
          "norm max": lambda: preprocessing.Normalizer("max"), "binarizer": lambda: preprocessing.Binarizer(threshold=2.0),
          "incremental pca": lambda: decomposition.IncrementalPCA(3), "no mean": lambda: preprocessing.StandardScaler(with_mean=False),
          "variance": lambda: feature_selection.VarianceThreshold(0.1),
          "from model": lambda: feature_selection.SelectFromModel(forest()),
          "elimination": lambda: feature_selection.RFE(logistic(), n_features_to_select=3, step=4),
          "elimination, cv": lambda: feature_selection.RFECV(tree_classifier(), step=6, cv=2),
          "forward": lambda: feature_selection.SequentialFeatureSelector(tree_classifier(), n_features_to_select=1, cv=2),
          "percentile": lambda: feature_selection.SelectPercentile(percentile=40), "fpr": feature_selection.SelectFpr,
          "fdr": feature_selection.SelectFdr, "fwe": feature_selection.SelectFwe,
          "univariate": feature_selection.GenericUnivariateSelect,
          "discriminants": discriminant_analysis.LinearDiscriminantAnalysis}.items()),
    Trap("missing indicator", data("cancer holes"), on_tree(lambda: pipeline.make_union(
        impute.SimpleImputer(), impute.MissingIndicator()))),
    *(Trap(f"transformer, {type(one).__name__}", data("wine"), on_tree(as_is(one)), refused="has no converter")
      for one in (decomposition.FastICA(2, random_state=0), impute.KNNImputer(), ensemble.RandomTreesEmbedding(3),
                  decomposition.NMF(2, max_iter=20))),
    # The remaining estimators, which share a converter with one of the matrix
    *(Trap(type(one).__name__, data("wine"), scaled(as_is(one)))
      for one in (linear_model.LogisticRegressionCV(Cs=2, cv=2), linear_model.RidgeClassifierCV(), svm.LinearSVC(),
                  linear_model.Perceptron(), tree.ExtraTreeClassifier(random_state=0),
                  naive_bayes.BernoulliNB(), linear_model.SGDClassifier(loss="modified_huber", random_state=0), svm.NuSVC())),
    Trap("PassiveAggressiveClassifier", data("wine"), scaled(lambda: linear_model.PassiveAggressiveClassifier())),
    Trap("PassiveAggressiveRegressor", data("diabetes"), scaled(lambda: linear_model.PassiveAggressiveRegressor()), R),
    Trap("MultinomialNB", counted, naive_bayes.MultinomialNB),
    *(Trap(type(one).__name__, data("diabetes"), scaled(as_is(one)), R)
      for one in (
          linear_model.Ridge(), linear_model.RidgeCV(), linear_model.LassoCV(cv=2), linear_model.ElasticNet(),
          linear_model.ElasticNetCV(cv=2), linear_model.Lars(), linear_model.LarsCV(cv=2), linear_model.LassoLars(),
          linear_model.LassoLarsCV(cv=2), linear_model.LassoLarsIC(), linear_model.OrthogonalMatchingPursuit(),
          linear_model.OrthogonalMatchingPursuitCV(cv=2), linear_model.BayesianRidge(), linear_model.ARDRegression(),
          linear_model.HuberRegressor(), linear_model.TheilSenRegressor(max_subpopulation=50, random_state=0),
          linear_model.SGDRegressor(random_state=0), svm.LinearSVR(),
          linear_model.QuantileRegressor(alpha=0.1), linear_model.GammaRegressor(), linear_model.TweedieRegressor(power=1.5),
          linear_model.RANSACRegressor(random_state=0), svm.NuSVR(), dummy.DummyRegressor(),
          tree.ExtraTreeRegressor(random_state=0), ensemble.ExtraTreesRegressor(5, random_state=0))),
    Trap("MiniBatchKMeans", data("wine"), scaled(lambda: cluster.MiniBatchKMeans(3, n_init=1, random_state=0)),
         "clustering"),
    *(Trap(name, data("wine"), scaled(getattr(cluster, name)), "clustering",
           refused="has no converter") for name in ("Birch", "MeanShift", "BisectingKMeans", "DBSCAN")),
]  # fmt: skip


def _module(name: str) -> Any:
    import importlib

    return importlib.import_module(name)


def _halving(name: str) -> Any:
    _module("sklearn.experimental.enable_halving_search_cv")
    return getattr(model_selection, name)
