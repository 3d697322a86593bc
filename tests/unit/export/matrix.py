"""Estimators and pipelines as people write them, on real data."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from palmerpenguins import load_penguins
from sklearn import (
    calibration,
    cluster,
    compose,
    covariance,
    datasets,
    decomposition,
    discriminant_analysis,
    dummy,
    ensemble,
    feature_extraction,
    feature_selection,
    frozen,
    impute,
    linear_model,
    mixture,
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

from jupyter_mlops.signature import Column, Output, Signature

__all__ = ["CASES", "Case", "Data", "load", "signature_of"]

NUMBERS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
TEXTS = ["island", "sex"]


@dataclass(frozen=True)
class Data:
    """A table, what is predicted from it, and how the table is handed over."""

    rows: Any
    target: Any
    layout: str = "frame"


def _penguins() -> pd.DataFrame:
    """Floats and strings with nulls, an integer, a boolean, a category column."""
    frame = load_penguins()
    frame["heavy"] = frame["body_mass_g"] > 4000
    frame["decade"] = pd.Categorical(frame["year"].map({2007: "early", 2008: "mid", 2009: "late"}))
    return frame


@cache
def load(name: str) -> Data:
    """One of the data sets by name."""
    if name == "penguins":
        frame = _penguins()
        return Data(frame.drop(columns="species"), frame["species"])
    if name == "penguin sex":  # two text classes, no null in the target
        frame = _penguins().dropna(subset=["sex"])
        return Data(frame.drop(columns="sex"), frame["sex"])
    if name == "penguin levels":  # every text column a pandas category
        frame = _penguins().dropna(subset=["sex"])
        frame = frame.astype({"species": "category", "island": "category"})
        return Data(frame.drop(columns="sex"), frame["sex"])
    if name == "penguin mass":
        frame = _penguins().dropna(subset=["body_mass_g"])
        return Data(frame.drop(columns=["body_mass_g", "heavy"]), frame["body_mass_g"])
    if name == "cancer":
        found = datasets.load_breast_cancer(as_frame=True)
        return Data(found.data.iloc[:, :12], found.target)
    if name == "cancer array":
        found = datasets.load_breast_cancer()
        return Data(found.data[:, :12], found.target.astype(bool), "array")
    if name == "cancer holes":  # numbers with missing values, nothing else
        found = datasets.load_breast_cancer(as_frame=True)
        frame = found.data.iloc[:, :8]
        return Data(frame.mask(np.random.default_rng(0).random(frame.shape) < 0.1), found.target)
    if name == "wine":
        found = datasets.load_wine(as_frame=True)
        return Data(found.data, found.target)
    if name == "diabetes":
        found = datasets.load_diabetes(as_frame=True, scaled=False)
        return Data(found.data, found.target)
    if name == "digits":
        found = datasets.load_digits(n_class=5)
        return Data(found.data[:400], found.target[:400], "array")
    if name == "large":  # values beyond 2**24, where float32 has no odd numbers
        generator = np.random.default_rng(1)
        frame = pd.DataFrame({"id": 2**24 + generator.integers(0, 2000, 1500), "amount": generator.normal(1e6, 1.0, 1500)})
        return Data(frame, (frame["id"] % 7 + frame["amount"] % 1 > 3.5).astype(int))
    if name == "sentences":
        parts = {kind: getattr(datasets, f"load_{kind}")().DESCR for kind in ("iris", "wine", "diabetes")}
        rows = [(s.strip(), kind) for kind, text in parts.items() for s in re.split(r"[.\n]", text) if len(s.split()) > 3]
        rows += [("Die Größe der Blüte, naïve Schätzung", "iris"), ("Le vin est né à Besançon", "wine")] * 3
        return Data(pd.Series([s for s, _ in rows], name="text"), np.array([kind for _, kind in rows]), "series")
    raise KeyError(name)


def _kind(values: pd.Series) -> str:
    if values.dtype == bool:
        return "boolean"
    if values.dtype.kind in "iu":
        return "integer"
    return "float" if values.dtype.kind == "f" else "string"


def signature_of(data: Data, task: str) -> Signature:
    """The schema of a data set's rows."""
    frame = data.rows if isinstance(data.rows, pd.DataFrame) else pd.DataFrame(data.rows)
    columns = tuple(Column(str(name), str(frame[name].dtype), _kind(frame[name])) for name in frame)  # type: ignore[arg-type]
    return Signature(columns, Output(task, str(np.asarray(data.target).dtype)), data.layout)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Case:
    """An estimator on a data set; `refused` is part of the reason where there is no ONNX form."""

    name: str
    data: str
    build: Callable[[], Any]
    task: str = "classification"
    refused: str | None = None

    def fit(self) -> Any:
        """The fitted estimator."""
        data = load(self.data)
        estimator = self.build()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # convergence is not what these tests are about
            if self.task in {"clustering", "outlier"}:
                return estimator.fit(data.rows)
            return estimator.fit(data.rows, data.target)


def _impute_scale() -> Any:
    return pipeline.make_pipeline(impute.SimpleImputer(strategy="median"), preprocessing.StandardScaler())


def mixed(numbers: Any = None, texts: Any = None, **options: Any) -> Any:
    """The column transformer of half of all notebooks."""
    texts = texts or pipeline.make_pipeline(
        impute.SimpleImputer(strategy="most_frequent"), preprocessing.OneHotEncoder(handle_unknown="ignore")
    )
    return compose.ColumnTransformer([("num", numbers or _impute_scale(), NUMBERS), ("cat", texts, TEXTS)], **options)


def on(front: Any, last: Any) -> Callable[[], Any]:
    return lambda: pipeline.make_pipeline(front(), last())


def scaled(last: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: pipeline.make_pipeline(preprocessing.StandardScaler(), last())


def encoded(encoder: Callable[[], Any], last: Callable[[], Any] | None = None) -> Callable[[], Any]:
    """A text encoder under test, before a tree that sees every bit of its output."""
    texts = [*TEXTS, "decade"]
    return lambda: pipeline.make_pipeline(
        compose.ColumnTransformer([("cat", encoder(), texts)], remainder=impute.SimpleImputer()),
        (last or tree_classifier)(),
    )


def tree_classifier() -> Any:
    return tree.DecisionTreeClassifier(random_state=0)


def logistic() -> Any:
    return linear_model.LogisticRegression(max_iter=300)


def forest() -> Any:
    return ensemble.RandomForestClassifier(20, random_state=0)


def histogram(**options: Any) -> Any:
    return ensemble.HistGradientBoostingClassifier(max_iter=25, random_state=0, **options)


def ratio(x: Any) -> Any:
    """A helper as people write it: element-wise numpy."""
    return np.hstack([np.log1p(x), np.sqrt(np.abs(x)), x[:, [0]] / (x[:, [1]] + 1.0), np.clip(x, 0.1, 50.0)])


def centred(x: Any) -> Any:
    """Depends on the batch, so that it means something else for one row."""
    return x - x.mean(axis=0)


def xgb(**options: Any) -> Any:
    import xgboost

    return xgboost.XGBClassifier(n_estimators=15, max_depth=4, n_jobs=1, **options)


def xgb_regressor(**options: Any) -> Any:
    import xgboost

    return xgboost.XGBRegressor(n_estimators=15, max_depth=4, n_jobs=1, **options)


def lgbm(**options: Any) -> Any:
    import lightgbm

    return lightgbm.LGBMClassifier(n_estimators=15, n_jobs=1, verbose=-1, **options)


def lgbm_regressor(**options: Any) -> Any:
    import lightgbm

    return lightgbm.LGBMRegressor(n_estimators=15, n_jobs=1, verbose=-1, **options)


OneHot, Ordinal = preprocessing.OneHotEncoder, preprocessing.OrdinalEncoder
R = "regression"
CASES = [
    # Whole pipelines on mixed columns
    Case("mixed, logistic", "penguins", on(mixed, logistic)),
    Case("mixed, forest", "penguins", on(mixed, forest)),
    Case("mixed, svc", "penguins", on(mixed, svm.SVC)),
    Case("mixed, hist boosting", "penguins", on(mixed, histogram)),
    Case("mixed, grid search", "penguins", lambda: model_selection.GridSearchCV(
        pipeline.Pipeline([("pre", mixed()), ("model", forest())]), {"model__max_depth": [2, 4]}, cv=2)),
    Case("mixed, random search", "penguins", lambda: model_selection.RandomizedSearchCV(
        on(mixed, logistic)(), {"logisticregression__C": [0.1, 1.0]}, n_iter=2, cv=2, random_state=0)),
    Case("indicator, forest", "penguins", on(lambda: mixed(impute.SimpleImputer(add_indicator=True)), forest)),
    Case("remainder passthrough by dtype", "penguins", lambda: pipeline.make_pipeline(
        compose.make_column_transformer(
            (OneHot(handle_unknown="ignore"), compose.make_column_selector(dtype_exclude=["number", "bool"])),
            remainder="passthrough"), histogram())),
    Case("columns by position and slice", "penguins", lambda: pipeline.make_pipeline(
        compose.ColumnTransformer([("a", impute.SimpleImputer(), slice(1, 4)), ("b", Ordinal(), [0]),
                                   ("c", "passthrough", [6]), ("d", "drop", [5])]), tree_classifier())),
    Case("nested column transformers", "penguins", lambda: pipeline.make_pipeline(
        mixed(), compose.ColumnTransformer([("s", preprocessing.MinMaxScaler(), slice(0, 3))], remainder="passthrough"),
        forest())),
    Case("feature union", "penguin sex", lambda: pipeline.make_pipeline(
        compose.ColumnTransformer([("n", pipeline.make_pipeline(impute.SimpleImputer(), pipeline.FeatureUnion(
            [("s", preprocessing.StandardScaler()), ("p", decomposition.PCA(2))])), NUMBERS)]), logistic())),
    Case("frozen", "penguins", lambda: pipeline.make_pipeline(
        frozen.FrozenEstimator(mixed().fit(load("penguins").rows)), logistic())),
    # Encoders
    Case("one hot, null category", "penguins", encoded(lambda: OneHot(handle_unknown="ignore"))),
    Case("one hot, drop first", "penguins", encoded(lambda: OneHot(drop="first", handle_unknown="ignore"))),
    Case("one hot, error", "penguins", encoded(lambda: OneHot(drop="if_binary"))),
    Case("one hot, infrequent", "penguins", encoded(
        lambda: OneHot(min_frequency=60, handle_unknown="infrequent_if_exist"))),
    Case("one hot, numbers", "penguins", lambda: pipeline.make_pipeline(
        compose.ColumnTransformer([("n", OneHot(handle_unknown="ignore"), ["year", "heavy", "flipper_length_mm"])]),
        forest())),
    Case("ordinal, unknown", "penguins", encoded(
        lambda: Ordinal(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2))),
    Case("ordinal, unknown nan", "penguins", encoded(
        lambda: Ordinal(handle_unknown="use_encoded_value", unknown_value=np.nan), histogram)),
    Case("target encoder", "penguin sex", lambda: pipeline.make_pipeline(compose.ColumnTransformer(
        [("t", preprocessing.TargetEncoder(random_state=0), ["island", "decade"])], remainder="drop"), logistic())),
    Case("target encoder, three classes", "penguins", encoded(
        lambda: preprocessing.TargetEncoder(random_state=0))),
    Case("text constant imputer", "penguins", encoded(lambda: pipeline.make_pipeline(
        impute.SimpleImputer(strategy="constant", fill_value="none"), OneHot(handle_unknown="ignore")))),
    # Numeric transformers
    Case("min max, clip", "wine", lambda: pipeline.make_pipeline(preprocessing.MinMaxScaler(clip=True), logistic())),
    Case("robust, forest", "wine", lambda: pipeline.make_pipeline(preprocessing.RobustScaler(), forest())),
    Case("yeo-johnson", "wine", lambda: pipeline.make_pipeline(preprocessing.PowerTransformer(), logistic())),
    Case("box-cox", "wine", lambda: pipeline.make_pipeline(preprocessing.PowerTransformer("box-cox"), logistic())),
    Case("quantile, uniform", "cancer holes", lambda: pipeline.make_pipeline(
        preprocessing.QuantileTransformer(n_quantiles=50), histogram())),
    Case("quantile, normal", "wine", lambda: pipeline.make_pipeline(
        preprocessing.QuantileTransformer(n_quantiles=50, output_distribution="normal"), logistic()), refused="normal"),
    Case("bins, one hot", "wine", lambda: pipeline.make_pipeline(preprocessing.KBinsDiscretizer(4), logistic())),
    Case("bins, ordinal", "wine", lambda: pipeline.make_pipeline(
        preprocessing.KBinsDiscretizer(5, encode="ordinal", strategy="uniform"), tree_classifier())),
    Case("polynomial", "diabetes", lambda: pipeline.make_pipeline(
        preprocessing.PolynomialFeatures(3, interaction_only=True), preprocessing.StandardScaler(),
        linear_model.Ridge()), R),
    Case("pca", "cancer", lambda: pipeline.make_pipeline(
        preprocessing.StandardScaler(), decomposition.PCA(4, whiten=True), logistic())),
    Case("select k best", "cancer", lambda: pipeline.make_pipeline(feature_selection.SelectKBest(k=5), forest())),
    Case("normalizer", "wine", lambda: pipeline.make_pipeline(preprocessing.Normalizer(), logistic())),
    Case("function, log1p", "wine", lambda: pipeline.make_pipeline(
        preprocessing.FunctionTransformer(np.log1p), forest())),
    Case("function, own", "cancer array", lambda: pipeline.make_pipeline(
        preprocessing.FunctionTransformer(ratio), forest())),
    Case("function, batch", "cancer array", lambda: pipeline.make_pipeline(
        preprocessing.FunctionTransformer(centred), forest()), refused="functiontransformer"),
    Case("splines", "wine", lambda: pipeline.make_pipeline(
        preprocessing.SplineTransformer(), logistic()), refused="SplineTransformer"),
    # Trees
    Case("tree", "cancer", tree_classifier),
    Case("tree, holes", "cancer holes", tree_classifier),
    Case("tree, large", "large", tree_classifier),
    Case("scaled tree, large", "large", scaled(tree_classifier)),
    Case("forest, holes", "cancer holes", forest),
    Case("forest, large", "large", forest),
    Case("forest, digits", "digits", forest),
    Case("extra trees", "wine", lambda: ensemble.ExtraTreesClassifier(20, random_state=0)),
    Case("boosting, binary", "cancer array", lambda: ensemble.GradientBoostingClassifier(n_estimators=20, random_state=0)),
    Case("boosting, multi", "wine", lambda: ensemble.GradientBoostingClassifier(n_estimators=10, random_state=0)),
    Case("boosting, large", "large", lambda: ensemble.GradientBoostingClassifier(n_estimators=20, random_state=0)),
    Case("hist boosting, holes", "cancer holes", histogram),
    Case("hist boosting, large", "large", histogram),
    Case("hist boosting, multi", "wine", histogram),
    Case("hist boosting, categories", "penguins", lambda: pipeline.make_pipeline(
        compose.ColumnTransformer([("c", Ordinal(handle_unknown="use_encoded_value", unknown_value=np.nan),
                                    [*TEXTS, "decade"])], remainder="passthrough"),
        histogram(categorical_features=[0, 1, 2]))),
    Case("hist boosting, from dtype", "penguin levels", lambda: pipeline.make_pipeline(
        compose.make_column_transformer(("drop", ["island"]), remainder="passthrough").set_output(transform="pandas"),
        histogram(categorical_features="from_dtype", min_samples_leaf=3))),
    Case("tree regressor", "diabetes", lambda: tree.DecisionTreeRegressor(max_depth=6, random_state=0), R),
    Case("forest regressor", "diabetes", lambda: ensemble.RandomForestRegressor(20, random_state=0), R),
    Case("boosting regressor", "diabetes", lambda: ensemble.GradientBoostingRegressor(
        n_estimators=20, loss="huber", random_state=0), R),
    Case("hist regressor", "penguin mass", lambda: pipeline.make_pipeline(
        compose.make_column_transformer((Ordinal(handle_unknown="use_encoded_value", unknown_value=np.nan),
                                         ["species", *TEXTS, "decade"]), remainder="passthrough"),
        ensemble.HistGradientBoostingRegressor(max_iter=25, random_state=0)), R),
    Case("hist regressor, poisson", "diabetes", lambda: ensemble.HistGradientBoostingRegressor(
        loss="poisson", max_iter=20), R),
    # Committees
    Case("ada boost, trees", "wine", lambda: ensemble.AdaBoostClassifier(n_estimators=10, random_state=0)),
    Case("ada boost, binary logistic", "cancer", scaled(lambda: ensemble.AdaBoostClassifier(
        logistic(), n_estimators=5, random_state=0))),
    Case("ada boost regressor", "diabetes", lambda: ensemble.AdaBoostRegressor(n_estimators=10, random_state=0), R),
    Case("bagging, trees", "wine", lambda: ensemble.BaggingClassifier(
        tree_classifier(), n_estimators=8, max_features=0.7, random_state=0)),
    Case("bagging, knn", "wine", scaled(lambda: ensemble.BaggingClassifier(
        neighbors.KNeighborsClassifier(3), n_estimators=4, random_state=0))),
    Case("bagging regressor", "diabetes", lambda: ensemble.BaggingRegressor(n_estimators=8, random_state=0), R),
    Case("voting, soft", "wine", lambda: ensemble.VotingClassifier(
        [("a", scaled(logistic)()), ("b", forest())], voting="soft", weights=[2, 1])),
    Case("voting, hard", "penguins", lambda: pipeline.make_pipeline(mixed(), ensemble.VotingClassifier(
        [("a", logistic()), ("b", forest()), ("c", svm.SVC())]))),
    Case("voting regressor", "diabetes", lambda: ensemble.VotingRegressor(
        [("a", linear_model.Ridge()), ("b", tree.DecisionTreeRegressor(max_depth=4, random_state=0))]), R),
    Case("stacking", "cancer", lambda: ensemble.StackingClassifier(
        [("a", scaled(logistic)()), ("b", forest())], logistic(), cv=2, passthrough=True)),
    Case("stacking regressor", "diabetes", lambda: ensemble.StackingRegressor(
        [("a", linear_model.Ridge()), ("b", tree.DecisionTreeRegressor(max_depth=4, random_state=0))], cv=2), R),
    Case("calibrated, sigmoid", "cancer", lambda: calibration.CalibratedClassifierCV(forest(), cv=2)),
    Case("calibrated, isotonic", "wine", lambda: calibration.CalibratedClassifierCV(
        naive_bayes.GaussianNB(), method="isotonic", cv=2)),
    Case("calibrated svc", "cancer", scaled(lambda: calibration.CalibratedClassifierCV(svm.LinearSVC(), cv=2))),
    Case("one vs rest", "wine", scaled(lambda: multiclass.OneVsRestClassifier(logistic()))),
    Case("tuned threshold", "cancer", scaled(lambda: model_selection.TunedThresholdClassifierCV(
        logistic(), scoring="balanced_accuracy", cv=2))),
    Case("fixed threshold", "cancer", scaled(lambda: model_selection.FixedThresholdClassifier(
        logistic(), threshold=0.8, pos_label=0))),
    Case("isolation forest", "cancer", lambda: ensemble.IsolationForest(n_estimators=20, random_state=0), "outlier"),
    # Others
    Case("logistic, bool classes", "cancer array", scaled(logistic)),
    Case("sgd", "wine", scaled(lambda: linear_model.SGDClassifier(loss="log_loss", random_state=0)),
         refused="SGDClassifier"),  # its weights of 1e3 lose nine digits on extreme rows
    Case("ridge classifier", "wine", linear_model.RidgeClassifier),
    Case("lda", "wine", discriminant_analysis.LinearDiscriminantAnalysis),
    Case("qda", "wine", lambda: discriminant_analysis.QuadraticDiscriminantAnalysis(reg_param=0.1)),
    Case("gaussian nb", "wine", naive_bayes.GaussianNB),
    Case("knn", "cancer", scaled(neighbors.KNeighborsClassifier)),
    Case("knn, distance", "diabetes", scaled(lambda: neighbors.KNeighborsRegressor(4, weights="distance")), R),
    Case("mlp", "wine", scaled(lambda: neural_network.MLPClassifier((8, 4), max_iter=50, random_state=0))),
    Case("mlp, binary", "cancer", scaled(lambda: neural_network.MLPClassifier(
        (6,), activation="tanh", max_iter=50, random_state=0))),
    Case("mlp regressor", "diabetes", scaled(lambda: neural_network.MLPRegressor(hidden_layer_sizes=(8,), max_iter=50, random_state=0)), R),
    Case("nu svc, poly", "wine", scaled(lambda: svm.NuSVC(kernel="poly", degree=2))),
    Case("svc, binary", "cancer", scaled(svm.SVC)),
    Case("svr", "diabetes", scaled(lambda: svm.SVR(C=50.0)), R),
    Case("linear regression", "diabetes", linear_model.LinearRegression, R),
    Case("lasso", "diabetes", scaled(lambda: linear_model.Lasso(0.1)), R),
    Case("poisson regressor", "diabetes", scaled(linear_model.PoissonRegressor), R),
    Case("log target", "diabetes", lambda: compose.TransformedTargetRegressor(
        linear_model.Ridge(), func=np.log1p, inverse_func=np.expm1), R),
    Case("scaled target", "diabetes", lambda: compose.TransformedTargetRegressor(
        tree.DecisionTreeRegressor(max_depth=4, random_state=0), transformer=preprocessing.StandardScaler()), R),
    Case("two targets", "diabetes", lambda: _TwoTargets(), R, refused="no converter"),
    Case("dummy", "penguins", lambda: dummy.DummyClassifier()),
    Case("k means", "wine", scaled(lambda: cluster.KMeans(3, n_init=2, random_state=0)), "clustering"),
    Case("mixture", "wine", scaled(lambda: mixture.GaussianMixture(3, random_state=0)), "clustering"),
    Case("elliptic envelope", "wine", scaled(lambda: covariance.EllipticEnvelope(random_state=0)), "outlier"),
    Case("one class svm", "wine", scaled(lambda: svm.OneClassSVM(nu=0.2)), "outlier"),
    # Text
    Case("tf-idf, logistic", "sentences", lambda: pipeline.make_pipeline(
        feature_extraction.text.TfidfVectorizer(), logistic())),
    Case("tf-idf, bigrams, stop words", "sentences", lambda: pipeline.make_pipeline(
        feature_extraction.text.TfidfVectorizer(ngram_range=(1, 2), stop_words="english", sublinear_tf=True, min_df=2),
        linear_model.RidgeClassifier())),
    Case("counts, naive bayes", "sentences", lambda: pipeline.make_pipeline(
        feature_extraction.text.CountVectorizer(binary=True), feature_extraction.text.TfidfTransformer(),
        naive_bayes.MultinomialNB())),
    Case("characters", "sentences", lambda: pipeline.make_pipeline(
        feature_extraction.text.TfidfVectorizer(analyzer="char"), logistic()), refused="analyzer"),
    # Boosting libraries
    Case("xgboost", "cancer", xgb),
    Case("xgboost, holes", "cancer holes", xgb),
    Case("xgboost, multi, scaled", "wine", scaled(xgb)),
    Case("xgboost regressor", "diabetes", xgb_regressor, R),
    Case("lightgbm", "cancer", lgbm),
    Case("lightgbm, holes", "cancer holes", lgbm),
    Case("lightgbm, multi", "wine", lgbm),
    Case("lightgbm regressor", "diabetes", lgbm_regressor, R),
]  # fmt: skip


class _TwoTargets:
    """Builds a regressor of two targets."""

    def fit(self, rows: Any, target: Any) -> Any:
        from sklearn.multioutput import MultiOutputRegressor

        return MultiOutputRegressor(linear_model.Ridge()).fit(rows, np.column_stack([target, target]))
