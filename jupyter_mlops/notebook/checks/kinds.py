"""What estimators and methods learn from the rows that they are given, by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

__all__ = [
    "COMPOSED", "CROSS_VALIDATION", "DATA_TYPES", "NO_ROWS", "OVERSAMPLERS", "REDUCTIONS", "RESAMPLERS", "SCALERS", "SEARCHES", "SUBSETS", "EstimatorKind",
    "describes_data", "is_metric", "kind_of",
]  # fmt: skip

EstimatorKind = Literal["stateless", "categories", "statistics", "selection", "target-encoding", "resampling", "model"]

# Nothing is learned: fitting again on other rows gives the same.
_STATELESS = frozenset(
    """Normalizer Binarizer PolynomialFeatures FunctionTransformer HashingVectorizer FeatureHasher AdditiveChi2Sampler
    TransformerMixin""".split()
)
# Only which values there are.
_CATEGORIES = frozenset(
    """LabelEncoder OneHotEncoder OrdinalEncoder LabelBinarizer MultiLabelBinarizer CountVectorizer DictVectorizer
    Tokenizer CountEncoder BinaryEncoder HashingEncoder MissingIndicator RareLabelEncoder""".split()
)
_STATISTICS = frozenset(
    """StandardScaler MinMaxScaler RobustScaler MaxAbsScaler PowerTransformer QuantileTransformer KBinsDiscretizer
    SimpleImputer KNNImputer IterativeImputer Imputer PCA IncrementalPCA KernelPCA SparsePCA TruncatedSVD FastICA NMF FactorAnalysis
    TfidfVectorizer TfidfTransformer VarianceThreshold SplineTransformer LatentDirichletAllocation Isomap Nystroem
    RBFSampler UMAP TSNE KernelCenterer MeanMedianImputer""".split()
)
_SELECTION = frozenset(
    """SelectKBest SelectPercentile SelectFpr SelectFdr SelectFwe GenericUnivariateSelect RFE RFECV SelectFromModel
    SequentialFeatureSelector BorutaPy ExhaustiveFeatureSelector""".split()
)
_TARGET_ENCODING = frozenset(
    """TargetEncoder CatBoostEncoder JamesSteinEncoder LeaveOneOutEncoder WOEEncoder MEstimateEncoder GLMMEncoder
    QuantileEncoder SummaryEncoder MeanEncoder""".split()
)
OVERSAMPLERS = frozenset(
    "SMOTE SMOTENC SMOTEN ADASYN BorderlineSMOTE SVMSMOTE KMeansSMOTE RandomOverSampler SMOTETomek SMOTEENN".split()
)
RESAMPLERS = OVERSAMPLERS | frozenset(
    """RandomUnderSampler NearMiss TomekLinks ClusterCentroids EditedNearestNeighbours RepeatedEditedNearestNeighbours AllKNN
    CondensedNearestNeighbour OneSidedSelection NeighbourhoodCleaningRule InstanceHardnessThreshold""".split()
)
COMPOSED = frozenset("Pipeline ImbPipeline make_pipeline make_imb_pipeline ColumnTransformer make_column_transformer FeatureUnion make_union".split())  # fmt: skip
SCALERS = frozenset("StandardScaler MinMaxScaler RobustScaler MaxAbsScaler PowerTransformer QuantileTransformer PCA".split())
SEARCHES = frozenset("GridSearchCV RandomizedSearchCV HalvingGridSearchCV HalvingRandomSearchCV BayesSearchCV TuneSearchCV OptunaSearchCV".split())  # fmt: skip
CROSS_VALIDATION = frozenset("cross_val_score cross_validate cross_val_predict learning_curve validation_curve".split())

# Weakest first: a composition is what the last of these is that it holds.
_ORDER: tuple[EstimatorKind, ...] = (
    "stateless", "categories", "statistics", "selection", "target-encoding", "resampling", "model",
)  # fmt: skip

DATA_TYPES = frozenset("DataFrame Series array asarray ndarray matrix Dataset DMatrix Pool csr_matrix csc_matrix Index".split())

# Methods that make one number, or one for each column or group, of many rows.
REDUCTIONS = frozenset(
    "mean median mode std var quantile nanmean nanmedian nanstd nanvar nanpercentile percentile average".split()
)
# Methods and functions that keep some of the rows.
SUBSETS = frozenset("sample query head tail nlargest nsmallest filter truncate get_group between_time first last take".split())

# Attributes and methods that tell about rows but hold none.
NO_ROWS = frozenset(
    """shape size ndim dtype dtypes columns index empty info describe value_counts nunique unique memory_usage corr cov
    corrwith isnull_sum duplicated_sum get_feature_names_out get_feature_names classes_ categories_ coef_ intercept_ feature_importances_
    n_features_in_ best_params_ best_score_ cv_results_ explained_variance_ratio_ skew kurt count max min sum any all idxmax
    idxmin hist plot boxplot scatter show to_csv to_excel to_json to_pickle keys tolist_columns
    """.split()
)

_METRIC_ENDINGS = ("_score", "_error", "_loss", "_report", "_kappa", "_corrcoef", "_deviance")
_METRICS = frozenset(
    """confusion_matrix roc_curve precision_recall_curve auc accuracy rmse mae mse rmsle r2 f1 mape
    precision_recall_fscore_support from_predictions plot_confusion_matrix""".split()
)


def kind_of(name: str, inner: Iterable[EstimatorKind] = ()) -> EstimatorKind:
    """What an estimator's class learns; compositions learn what the strongest of their parts learns."""
    if name in COMPOSED:
        return max(inner, key=_ORDER.index, default="stateless")
    if name in _STATELESS:
        return "stateless"
    if name in _CATEGORIES:
        return "categories"
    if name in _STATISTICS:
        return "statistics"
    if name in _SELECTION:
        return "selection"
    if name in _TARGET_ENCODING:
        return "target-encoding"
    return "resampling" if name in RESAMPLERS else "model"


def is_metric(name: str) -> bool:
    """Whether a function measures predictions."""
    return (name.endswith(_METRIC_ENDINGS) or name in _METRICS) and name not in CROSS_VALIDATION


def describes_data(name: str) -> bool:
    """Whether what a name gives of rows holds no rows any more."""
    return name in NO_ROWS or name in REDUCTIONS
