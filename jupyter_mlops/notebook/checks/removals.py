"""Names, arguments and values that current versions of libraries do not know any more, or are about to forget.

Every entry of the first tables fails with what this project is tested with; a test looks it up there. ``use`` is what
stands in its place: where it is not empty and `renamed`, writing it instead is all that is needed.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "ARGUMENTS", "ATTRIBUTES", "DEPRECATED_ARGUMENTS", "DEPRECATED_METHODS", "DEPRECATED_NAMES", "FIT_ARGUMENTS", "METHODS", "MODULES", "NAMES",
    "SEABORN", "VALUES", "Gone",
]  # fmt: skip


class Gone(NamedTuple):
    """Since which version, what to use, and whether that is a mere new name."""

    since: str
    use: str = ""
    renamed: bool = False


def _each(names: str, gone: Gone) -> dict[str, Gone]:
    return dict.fromkeys(names.split(), gone)


# Modules, by their whole name.
MODULES: dict[str, Gone] = {
    "sklearn.cross_validation": Gone("scikit-learn 0.20", "sklearn.model_selection", True),
    "sklearn.grid_search": Gone("scikit-learn 0.20", "sklearn.model_selection", True),
    "sklearn.learning_curve": Gone("scikit-learn 0.20", "sklearn.model_selection", True),
    "sklearn.lda": Gone("scikit-learn 0.19", "sklearn.discriminant_analysis.LinearDiscriminantAnalysis"),
    "sklearn.qda": Gone("scikit-learn 0.19", "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis"),
    "sklearn.utils.testing": Gone("scikit-learn 0.24", "numpy.testing"),
    "sklearn.externals.joblib": Gone("scikit-learn 0.23", "joblib", True),
    "sklearn.linear_model.logistic": Gone("scikit-learn 0.24", "sklearn.linear_model", True),
    "sklearn.ensemble.forest": Gone("scikit-learn 0.24", "sklearn.ensemble", True),
    "sklearn.tree.tree": Gone("scikit-learn 0.24", "sklearn.tree", True),
    "sklearn.svm.classes": Gone("scikit-learn 0.24", "sklearn.svm", True),
    "sklearn.preprocessing.data": Gone("scikit-learn 0.24", "sklearn.preprocessing", True),
    "sklearn.preprocessing.label": Gone("scikit-learn 0.24", "sklearn.preprocessing", True),
    "sklearn.metrics.scorer": Gone("scikit-learn 0.24", "sklearn.metrics", True),
    "pandas.tools": Gone("pandas 0.24", "pandas.plotting"),
    "matplotlib.finance": Gone("matplotlib 2.2", "mplfinance"),
}

# Functions and classes, by their dotted names.
NAMES: dict[str, Gone] = {
    "sklearn.datasets.load_boston": Gone("scikit-learn 1.2", "fetch_california_housing or another data set"),
    "sklearn.datasets.fetch_mldata": Gone("scikit-learn 0.22", "fetch_openml"),
    "sklearn.externals.joblib": Gone("scikit-learn 0.23", "import joblib"),
    "sklearn.externals.six": Gone("scikit-learn 0.23", "io.StringIO and plain Python 3"),
    "sklearn.metrics.plot_confusion_matrix": Gone("scikit-learn 1.2", "ConfusionMatrixDisplay.from_estimator"),
    "sklearn.metrics.plot_roc_curve": Gone("scikit-learn 1.2", "RocCurveDisplay.from_estimator"),
    "sklearn.metrics.plot_precision_recall_curve": Gone("scikit-learn 1.2", "PrecisionRecallDisplay.from_estimator"),
    "sklearn.metrics.jaccard_similarity_score": Gone("scikit-learn 0.23", "jaccard_score"),
    "sklearn.metrics.calinski_harabaz_score": Gone("scikit-learn 0.23", "calinski_harabasz_score"),
    "sklearn.metrics.SCORERS": Gone("scikit-learn 1.3", "get_scorer_names"),
    "sklearn.preprocessing.Imputer": Gone("scikit-learn 0.22", "sklearn.impute.SimpleImputer"),
    "sklearn.preprocessing.CategoricalEncoder": Gone("scikit-learn 0.20", "OneHotEncoder or OrdinalEncoder"),
    "sklearn.mixture.GMM": Gone("scikit-learn 0.20", "GaussianMixture"),
    "sklearn.linear_model.RandomizedLasso": Gone("scikit-learn 0.21", "SelectFromModel"),
    "sklearn.decomposition.RandomizedPCA": Gone("scikit-learn 0.20", "PCA(svd_solver='randomized')"),
    "sklearn.inspection.plot_partial_dependence": Gone("scikit-learn 1.2", "PartialDependenceDisplay.from_estimator"),
    "sklearn.ensemble.partial_dependence": Gone("scikit-learn 0.24", "sklearn.inspection"),
    "sklearn.covariance.GraphLasso": Gone("scikit-learn 0.22", "GraphicalLasso"),
    "pandas.Panel": Gone("pandas 0.25", "a frame with a MultiIndex"),
    "pandas.np": Gone("pandas 2.0", "numpy itself"),
    "pandas.datetime": Gone("pandas 2.0", "datetime.datetime"),
    "pandas.rolling_mean": Gone("pandas 0.23", ".rolling(n).mean()"),
    "pandas.scatter_matrix": Gone("pandas 0.25", "pandas.plotting.scatter_matrix"),
    "pandas.TimeGrouper": Gone("pandas 0.25", "pandas.Grouper(freq=...)"),
    "pandas.DataFrame.from_csv": Gone("pandas 1.0", "pandas.read_csv"),
    "pandas.DataFrame.from_items": Gone("pandas 1.0", "pandas.DataFrame(dict(...))"),
    "pandas.Int64Index": Gone("pandas 2.0", "pandas.Index"),
    **{f"numpy.{name}": Gone("numpy 1.24", use, True) for name, use in
       {"int": "int", "float": "float", "object": "object", "str": "str", "complex": "complex"}.items()},
    "numpy.NaN": Gone("numpy 2.0", "{np}.nan", True), "numpy.NAN": Gone("numpy 2.0", "{np}.nan", True),
    "numpy.Inf": Gone("numpy 2.0", "{np}.inf", True), "numpy.infty": Gone("numpy 2.0", "{np}.inf", True),
    "numpy.PINF": Gone("numpy 2.0", "{np}.inf", True), "numpy.NINF": Gone("numpy 2.0", "-{np}.inf", True),
    "numpy.float_": Gone("numpy 2.0", "{np}.float64", True), "numpy.complex_": Gone("numpy 2.0", "{np}.complex128", True),
    "numpy.unicode_": Gone("numpy 2.0", "{np}.str_", True), "numpy.string_": Gone("numpy 2.0", "{np}.bytes_", True),
    "numpy.product": Gone("numpy 2.0", "{np}.prod", True), "numpy.cumproduct": Gone("numpy 2.0", "{np}.cumprod", True),
    "numpy.sometrue": Gone("numpy 2.0", "{np}.any", True), "numpy.alltrue": Gone("numpy 2.0", "{np}.all", True),
    "numpy.round_": Gone("numpy 2.0", "{np}.round", True), "numpy.in1d": Gone("numpy 2.4", "{np}.isin", True),
    "numpy.trapz": Gone("numpy 2.4", "{np}.trapezoid", True), "numpy.asscalar": Gone("numpy 1.23", ".item()"),
    "numpy.mat": Gone("numpy 2.0", "{np}.asmatrix", True), "numpy.math": Gone("numpy 1.25", "the module math"),
    "numpy.msort": Gone("numpy 2.0", "numpy.sort(a, axis=0)"), "numpy.asfarray": Gone("numpy 2.0", "numpy.asarray(a, dtype=float)"),
    "seaborn.factorplot": Gone("seaborn 0.11", "{np}.catplot", True), "seaborn.tsplot": Gone("seaborn 0.10", "lineplot"),
    "seaborn.lvplot": Gone("seaborn 0.10", "{np}.boxenplot", True),
    "matplotlib.pyplot.hold": Gone("matplotlib 3.0", "nothing: that is how it is now"),
    "matplotlib.cm.get_cmap": Gone("matplotlib 3.9", "matplotlib.colormaps[name]"),
    "matplotlib.mlab.normpdf": Gone("matplotlib 3.1", "scipy.stats.norm.pdf"),
    "scipy.misc.imread": Gone("scipy 1.2", "imageio.imread"), "scipy.misc.imresize": Gone("scipy 1.3", "PIL.Image.resize"),
    "scipy.misc.comb": Gone("scipy 1.0", "scipy.special.comb"), "scipy.misc.factorial": Gone("scipy 1.3", "scipy.special.factorial"),
    "scipy.interp": Gone("scipy 1.10", "numpy.interp"), "scipy.stats.binom_test": Gone("scipy 1.12", "scipy.stats.binomtest"),
    "scipy.stats.itemfreq": Gone("scipy 1.3", "numpy.unique(a, return_counts=True)"),
    "scipy.integrate.simps": Gone("scipy 1.14", "scipy.integrate.simpson"),
    "scipy.integrate.trapz": Gone("scipy 1.14", "scipy.integrate.trapezoid"),
}  # fmt: skip

# Methods of frames, series and estimators; no other library's objects of note have them.
METHODS: dict[str, Gone] = {
    "iteritems": Gone("pandas 2.0", "items", True),
    "as_matrix": Gone("pandas 1.0", "to_numpy()"),
    "get_value": Gone("pandas 1.0", ".at[...]"),
    "set_value": Gone("pandas 1.0", ".at[...]"),
    "get_feature_names": Gone("scikit-learn 1.2", "get_feature_names_out", True),
    "sortlevel": Gone("pandas 0.24", "sort_index", True),
}

# Attributes that are indexed or read.
ATTRIBUTES: dict[str, Gone] = {"ix": Gone("pandas 1.0", ".loc or .iloc"), "ftypes": Gone("pandas 1.0", "dtypes", True)}

_TREES = """DecisionTreeClassifier DecisionTreeRegressor RandomForestClassifier RandomForestRegressor ExtraTreesClassifier
    ExtraTreesRegressor GradientBoostingClassifier GradientBoostingRegressor"""
_LINEAR = "LinearRegression Ridge RidgeCV RidgeClassifier Lasso LassoCV ElasticNet ElasticNetCV Lars LassoLars"

# (what is called, argument)
ARGUMENTS: dict[tuple[str, str], Gone] = {
    ("OneHotEncoder", "sparse"): Gone("scikit-learn 1.4", "sparse_output", True),
    ("OneHotEncoder", "categorical_features"): Gone("scikit-learn 0.22", "a ColumnTransformer"),
    ("OneHotEncoder", "n_values"): Gone("scikit-learn 0.22", "categories"),
    ("LogisticRegression", "multi_class"): Gone("scikit-learn 1.8", "OneVsRestClassifier, or leave it out"),
    ("LogisticRegressionCV", "multi_class"): Gone("scikit-learn 1.8", "OneVsRestClassifier, or leave it out"),
    **{(name, "normalize"): Gone("scikit-learn 1.2", "a StandardScaler in a Pipeline") for name in _LINEAR.split()},
    **{(name, "base_estimator"): Gone("scikit-learn 1.4", "estimator", True)
       for name in "AdaBoostClassifier AdaBoostRegressor BaggingClassifier BaggingRegressor CalibratedClassifierCV".split()},
    ("AdaBoostClassifier", "algorithm"): Gone("scikit-learn 1.8", "nothing: leave it out"),
    **{(name, argument): Gone("scikit-learn 1.0", use) for name in _TREES.split()
       for argument, use in (("min_impurity_split", "min_impurity_decrease"), ("presort", "nothing: leave it out"))},
    ("AgglomerativeClustering", "affinity"): Gone("scikit-learn 1.4", "metric", True),
    ("KMeans", "n_jobs"): Gone("scikit-learn 1.0", "nothing: leave it out"),
    ("KMeans", "precompute_distances"): Gone("scikit-learn 1.0", "nothing: leave it out"),
    ("mean_squared_error", "squared"): Gone("scikit-learn 1.6", "root_mean_squared_error"),
    ("mean_squared_log_error", "squared"): Gone("scikit-learn 1.6", "root_mean_squared_log_error"),
    ("GridSearchCV", "iid"): Gone("scikit-learn 0.24", "nothing: leave it out"),
    ("RandomizedSearchCV", "iid"): Gone("scikit-learn 0.24", "nothing: leave it out"),
    ("GridSearchCV", "fit_params"): Gone("scikit-learn 0.21", "an argument of fit"),
    ("cross_val_score", "fit_params"): Gone("scikit-learn 1.6", "params", True),
    ("cross_validate", "fit_params"): Gone("scikit-learn 1.6", "params", True),
    **{(name, "n_iter"): Gone("scikit-learn 0.21", "max_iter", True) for name in "SGDClassifier SGDRegressor Perceptron".split()},
    ("TSNE", "n_iter"): Gone("scikit-learn 1.7", "max_iter", True),
    ("LatentDirichletAllocation", "n_topics"): Gone("scikit-learn 0.21", "n_components", True),
    ("NMF", "alpha"): Gone("scikit-learn 1.2", "alpha_W"),
    ("IsolationForest", "behaviour"): Gone("scikit-learn 0.24", "nothing: leave it out"),
    ("SimpleImputer", "axis"): Gone("scikit-learn 0.22", "nothing: leave it out"),
    ("SimpleImputer", "verbose"): Gone("scikit-learn 1.3", "nothing: leave it out"),
    ("log_loss", "eps"): Gone("scikit-learn 1.5", "nothing: leave it out"),
    ("KFold", "n_folds"): Gone("scikit-learn 0.20", "n_splits", True),
    ("StratifiedKFold", "n_folds"): Gone("scikit-learn 0.20", "n_splits", True),
    ("LassoCV", "n_alphas"): Gone("scikit-learn 1.9", "alphas", True),
    ("ElasticNetCV", "n_alphas"): Gone("scikit-learn 1.9", "alphas", True),
    ("check_array", "force_all_finite"): Gone("scikit-learn 1.8", "ensure_all_finite", True),
    ("read_csv", "error_bad_lines"): Gone("pandas 2.0", "on_bad_lines='skip'"),
    ("read_csv", "warn_bad_lines"): Gone("pandas 2.0", "on_bad_lines='warn'"),
    ("read_csv", "squeeze"): Gone("pandas 2.0", ".squeeze('columns')"),
    ("read_csv", "prefix"): Gone("pandas 2.0", "names of the columns"),
    ("read_csv", "mangle_dupe_cols"): Gone("pandas 2.0", "nothing: leave it out"),
    ("read_csv", "tupleize_cols"): Gone("pandas 1.0", "nothing: leave it out"),
    ("read_excel", "sheetname"): Gone("pandas 0.25", "sheet_name", True),
    ("read_excel", "squeeze"): Gone("pandas 2.0", ".squeeze('columns')"),
    ("to_csv", "line_terminator"): Gone("pandas 2.0", "lineterminator", True),
    ("concat", "join_axes"): Gone("pandas 1.0", ".reindex"),
    ("set_axis", "inplace"): Gone("pandas 2.0", "the result of the call"),
    ("drop_duplicates", "take_last"): Gone("pandas 0.21", "keep='last'"),
    ("drop_duplicates", "cols"): Gone("pandas 0.21", "subset", True),
    ("describe", "datetime_is_numeric"): Gone("pandas 2.0", "nothing: leave it out"),
    ("hist", "normed"): Gone("matplotlib 3.1", "density", True),
    ("histogram", "normed"): Gone("numpy 1.24", "density", True),
    ("FacetGrid", "size"): Gone("seaborn 0.12", "height", True),
    ("lmplot", "size"): Gone("seaborn 0.12", "height", True),
    ("jointplot", "size"): Gone("seaborn 0.12", "height", True),
    ("jointplot", "stat_func"): Gone("seaborn 0.11", "scipy.stats"),
}  # fmt: skip

# (class that is fitted, argument of its fit)
FIT_ARGUMENTS: dict[tuple[str, str], Gone] = {
    **{(name, argument): Gone("xgboost 2.1", "an argument of the constructor")
       for name in ("XGBClassifier", "XGBRegressor") for argument in ("early_stopping_rounds", "eval_metric", "callbacks")},
    **{(name, argument): Gone("lightgbm 4.0", "callbacks=[lightgbm.early_stopping(...)] or lightgbm.log_evaluation")
       for name in ("LGBMClassifier", "LGBMRegressor") for argument in ("early_stopping_rounds", "verbose")},
}  # fmt: skip

# (what is called, argument, value) -> the value that means the same now
VALUES: dict[tuple[str, str, str], Gone] = {
    **{(name, "max_features", "auto"): Gone("scikit-learn 1.3", "'sqrt'" if name.endswith("Classifier") else "1.0", True)
       for name in _TREES.split()},
    **{(name, "criterion", old): Gone("scikit-learn 1.2", f"'{new}'", True)
       for name in ("DecisionTreeRegressor", "RandomForestRegressor", "ExtraTreesRegressor")
       for old, new in (("mse", "squared_error"), ("mae", "absolute_error"))},
    ("SGDClassifier", "loss", "log"): Gone("scikit-learn 1.3", "'log_loss'", True),
    ("GradientBoostingClassifier", "loss", "deviance"): Gone("scikit-learn 1.3", "'log_loss'", True),
    ("GradientBoostingRegressor", "loss", "ls"): Gone("scikit-learn 1.2", "'squared_error'", True),
    ("GradientBoostingRegressor", "loss", "lad"): Gone("scikit-learn 1.2", "'absolute_error'", True),
    ("LogisticRegression", "penalty", "none"): Gone("scikit-learn 1.4", "None", True),
    **{("cross_val_score", "scoring", old): Gone("scikit-learn 0.20", f"'neg_{old}'", True)
       for old in ("mean_squared_error", "mean_absolute_error", "log_loss")},
    **{("GridSearchCV", "scoring", old): Gone("scikit-learn 0.20", f"'neg_{old}'", True)
       for old in ("mean_squared_error", "mean_absolute_error", "log_loss")},
}  # fmt: skip

# Functions of seaborn that take only `data` by position since 0.12, and what stood there before.
_XY = "barplot boxenplot boxplot catplot countplot lineplot pointplot relplot scatterplot stripplot swarmplot violinplot"
SEABORN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("regplot", "jointplot", "lmplot", "residplot"), ("x", "y", "data")),
    **dict.fromkeys(_XY.split(), ("x", "y", "hue", "data")),
    "heatmap": ("data", "vmin", "vmax", "cmap"), "pairplot": ("data", "hue"), "kdeplot": ("x", "y"), "clustermap": ("data",),
    "displot": ("data",), "histplot": ("data",),
}  # fmt: skip

# These still work, with a warning.
DEPRECATED_NAMES: dict[str, Gone] = {
    "seaborn.distplot": Gone("seaborn 0.11", "histplot or displot"),
    "pandas.value_counts": Gone("pandas 2.1", "the method of a Series"),
    "numpy.row_stack": Gone("numpy 2.0", "{np}.vstack", True),
    "sklearn.linear_model.PassiveAggressiveClassifier": Gone("scikit-learn 1.8", "SGDClassifier(learning_rate='pa1')"),
    "sklearn.linear_model.PassiveAggressiveRegressor": Gone("scikit-learn 1.8", "SGDRegressor(learning_rate='pa1')"),
}
DEPRECATED_METHODS: dict[str, Gone] = {"applymap": Gone("pandas 2.1", "map", True)}
DEPRECATED_ARGUMENTS: dict[tuple[str, str], Gone] = {
    ("LogisticRegression", "penalty"): Gone("scikit-learn 1.8", "l1_ratio and C"),
    ("LogisticRegressionCV", "penalty"): Gone("scikit-learn 1.8", "l1_ratios and C"),
    ("fillna", "method"): Gone("pandas 2.1", ".ffill() or .bfill()"),
    ("read_csv", "delim_whitespace"): Gone("pandas 2.2", r"sep=r'\s+'"),
    ("read_csv", "infer_datetime_format"): Gone("pandas 2.0", "nothing: leave it out"),
    ("read_csv", "date_parser"): Gone("pandas 2.0", "date_format"),
    ("to_datetime", "infer_datetime_format"): Gone("pandas 2.0", "nothing: leave it out"),
    ("pairplot", "size"): Gone("seaborn 0.9", "height", True),
    ("barplot", "ci"): Gone("seaborn 0.12", "errorbar"),
    ("lineplot", "ci"): Gone("seaborn 0.12", "errorbar"),
    ("pointplot", "ci"): Gone("seaborn 0.12", "errorbar"),
    ("violinplot", "scale"): Gone("seaborn 0.13", "density_norm", True),
    ("kdeplot", "shade"): Gone("seaborn 0.11", "fill", True),
}
