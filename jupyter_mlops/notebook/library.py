"""What is known about other people's functions, methods and attributes, by name.

Only what departs from the defaults is listed. The defaults: a *function* of a library leaves its arguments alone and
gives something new; a *method* that is not listed changes the object it is called on (not its arguments) and may give
a part of it; an *attribute* may be a part of the object.

To teach the analysis a name, add it to the set that says what is special about it; the sets are read by name only,
since a notebook's types are not known before it runs.
"""

from __future__ import annotations

import builtins

__all__ = [
    "BUILTINS",
    "CONTAINER_MUTATORS",
    "CONTAINER_PARTS",
    "CONTAINER_TYPES",
    "DEEP_METHODS",
    "FRESH_ATTRIBUTES",
    "GENERATOR_TYPES",
    "HOLDING_TYPES",
    "LAZY_METHODS",
    "MUTATING_FUNCTIONS",
    "NOTEBOOK_NAMES",
    "NO_HOLD_METHODS",
    "PURE_BUILTINS",
    "PURE_METHODS",
    "SCALAR_METHODS",
    "SELF_METHODS",
    "VIEW_FUNCTIONS",
    "VIEW_METHODS",
]

BUILTINS = frozenset(dir(builtins)) | {
    "__name__", "__file__", "__doc__", "__builtins__", "__annotations__", "__spec__", "__loader__", "__package__",
    "__class__", "__dict__",
}  # fmt: skip
# Names that a notebook's kernel provides.
NOTEBOOK_NAMES = frozenset(
    "display get_ipython In Out _ __ ___ _i _ii _iii _ih _oh _dh exit quit pwd ls who whos _exit_code cls".split()
)

# Builtins that neither change nor hand on their arguments.
PURE_BUILTINS = frozenset(
    """abs all any ascii bin bool bytes callable chr complex compile dir divmod float format hasattr hash hex id input
    int isinstance issubclass len oct ord pow print range repr round slice str sum type object memoryview
    help display breakpoint __import__ get_ipython exit quit""".split()
)

# Attributes that are immutable, or new whenever they are asked for.
FRESH_ATTRIBUTES = frozenset(
    """shape size ndim dtype dtypes columns index name names empty nbytes itemsize nlevels levels codes year month day
    hour minute second dayofweek day_of_week weekday quarter date time days seconds total_seconds is_unique
    n_features_in_ feature_names_in_ n_classes_ n_clusters n_components_ n_iter_ best_score_ best_index_ intercept_
    __name__ __class__ __doc__ __version__ __file__ suffix stem parent parts version name_or_path device
    is_monotonic_increasing""".split()
)

# Methods that change nothing, and give something new.
PURE_METHODS = frozenset(
    # pandas
    """abs add_prefix add_suffix agg aggregate align all any apply applymap asfreq asof assign astype at_time
    between between_time bfill bool boxplot cat clip combine combine_first compare contains convert_dtypes copy corr corrwith count
    cov crosstab cummax cummin cumprod cumsum cumcount cut date_range density describe diff div divide dot drop drop_duplicates
    dropna droplevel dt duplicated eq equals eval ewm expanding explode factorize ffill fillna filter first floordiv
    from_records ge get_dummies get_level_values get_group groups gt head hist hexbin idxmax idxmin infer_objects info interpolate isin isna isnull items
    join keys kurt kurtosis last last_valid_index first_valid_index le lookup lt map mask max mean median melt memory_usage merge min mod mode
    mul multiply ne nlargest notna notnull nsmallest nunique pad pct_change pipe pivot pivot_table plot prod product qcut quantile
    query radd rank rdiv reindex reindex_like rename rename_axis reorder_levels replace resample reset_index rfloordiv
    rmul rolling round rsub sample select_dtypes sem set_axis set_index shift skew size sort_index sort_values
    stack std style sub subtract sum swapaxes swaplevel tail take to_clipboard to_csv to_dict to_excel to_feather
    to_frame to_hdf to_html to_json to_latex to_list to_markdown to_numpy to_parquet to_pickle to_period to_records to_sql to_string
    to_timestamp to_datetime to_xarray tolist transform transpose truediv truncate tz_convert tz_localize unique unstack
    value_counts values var where xs ngroup nth ohlc bar barh box kde line pie scatter area month_name day_name isocalendar
    is_month_end set_flags groupby iterrows itertuples iteritems itercols union intersection difference symmetric_difference
    get_indexer get_loc isocalendar normalize ceil floor strftime strptime timestamp fromtimestamp isoformat
    background_gradient highlight_max highlight_min set_caption hide bar
    """.split()
    # numpy
    + """argmax argmin argsort argpartition argwhere byteswap choose compress conj conjugate cumsum diagonal dump
    dumps flatten item nonzero ptp ravel repeat reshape searchsorted squeeze tobytes tostring trace view swapaxes
    searchsorted tofile newbyteorder""".split()
    # scikit-learn and friends
    + """apply_transform decision_function decision_path get_booster get_depth get_feature_names get_feature_names_out
    get_metadata_routing get_n_leaves get_n_splits get_params get_support get_covariance inverse_transform kneighbors
    kneighbors_graph perplexity predict predict_classes predict_joint_log_proba predict_log_proba predict_proba
    score score_samples sample_y staged_decision_function staged_predict staged_predict_proba split transform
    feature_importance feature_importances get_score get_fscore evaluate summary get_config get_weights to_json count_params
    parameters named_parameters children modules named_modules state_dict conf_int get_prediction get_forecast
    forecast cpu detach numpy clone float long double int half shap_values
    """.split()
    # str, dict, pathlib, re, datetime and other small things
    + """as_posix absolute capitalize casefold center decode encode endswith exists expanduser expandtabs fget
    find findall finditer format format_map fullmatch get glob rglob group groupdict groups is_dir is_file isalnum isalpha
    isdecimal isdigit isidentifier islower isnumeric isprintable isspace issubset issuperset istitle isupper iterdir joinpath
    ljust lower lstrip maketrans match most_common partition read_bytes read_text relative_to removeprefix
    removesuffix resolve rfind rindex rjust rpartition rsplit rstrip search span splitlines startswith stat
    strip subn swapcase title total_seconds translate upper with_name with_stem with_suffix write_bytes write_text
    zfill elements isdisjoint utcoffset json raise_for_status mkdir touch unlink elapsed bit_length as_integer_ratio
    hexdigest digest cat len slice_replace extract extractall get_text
    """.split()
    # pyspark, polars
    + """collect toPandas limit show printSchema filter select withColumn withColumnRenamed groupBy orderBy
    dropDuplicates selectExpr toDF with_columns sort lazy alias over lit cast is_null is_not_null is_in""".split()
)

# Pure methods that give numbers, strings or other immutable values (of a frame: something new, hence the same to us).
SCALAR_METHODS = frozenset(
    """item count score bool upper lower strip lstrip rstrip startswith endswith format find rfind title
    capitalize zfill isdigit isalpha isnumeric encode decode exists is_file is_dir is_dir read_text hexdigest total_seconds timestamp
    strftime isoformat count_params summary info tell bit_length casefold removeprefix removesuffix nunique
    isupper islower isspace isalnum idxmax idxmin""".split()
)

# Pure methods whose result shares memory with, or is a part of, the object.
VIEW_METHODS = frozenset(
    """values items keys to_numpy ravel reshape view transpose swapaxes squeeze diagonal get groupby rolling
    resample expanding ewm iterrows itertuples iteritems parameters named_parameters children modules named_modules
    state_dict detach numpy cpu get_booster float double get_group pipe style dt str cat plot set_flags lazy
    """.split()
)

# Methods that give the object itself back.
SELF_METHODS = frozenset(
    """fit partial_fit set_params set_output set_config eval train to cuda requires_grad_ compile
    add_suffix_ zero_ build""".split()
)

# Mutating methods that keep no hold on their arguments.
NO_HOLD_METHODS = frozenset(
    """fit fit_transform fit_predict fit_resample fit_sample partial_fit transform predict train_on_batch
    set_output compile backward step zero_grad eval train to cuda seed sort reverse clear remove discard
    set_title set_xlabel set_ylabel set_xlim set_ylim set_xticks set_yticks set_xticklabels set_yticklabels legend grid
    adapt fit_on_texts summary write writelines writerow read readline readlines close""".split()
)

# Methods that change what the object holds as well.
DEEP_METHODS = frozenset("step backward zero_grad minimize apply_gradients fit fit_transform fit_predict".split())

# Types whose instances change, in `DEEP_METHODS` and unlisted ones, the objects they were made from.
HOLDING_TYPES = frozenset(
    """Pipeline make_pipeline FeatureUnion make_union ImbPipeline Sequential Model Functional Adam AdamW SGD
    RMSprop Adagrad Adadelta Adamax NAdam LBFGS Trainer Learner DataParallel StepLR ReduceLROnPlateau CosineAnnealingLR ExponentialLR
    LambdaLR OneCycleLR Accelerator SimpleNamespace partial chain cycle islice tee""".split()
)

CONTAINER_TYPES = {
    "collections.deque": "list", "collections.Counter": "dict", "collections.defaultdict": "dict",
    "collections.OrderedDict": "dict", "collections.ChainMap": "dict", "types.SimpleNamespace": "unknown",
    "argparse.Namespace": "unknown", "itertools.chain": "lazy", "itertools.cycle": "lazy", "itertools.islice": "lazy",
    "itertools.product": "lazy", "itertools.combinations": "lazy", "itertools.permutations": "lazy",
    "itertools.groupby": "lazy", "itertools.tee": "lazy", "itertools.count": "lazy", "itertools.repeat": "lazy",
    "itertools.zip_longest": "lazy", "itertools.starmap": "lazy", "itertools.accumulate": "lazy", "csv.reader": "lazy",
    "csv.DictReader": "lazy", "csv.writer": "lazy", "tqdm.tqdm": "lazy", "tqdm.notebook.tqdm": "lazy",
    "tqdm.auto.tqdm": "lazy", "tqdm.trange": "lazy", "io.StringIO": "lazy", "io.BytesIO": "lazy",
}  # fmt: skip

GENERATOR_TYPES = frozenset(
    """random.Random numpy.random.default_rng numpy.random.RandomState numpy.random.Generator numpy.random.PCG64
    torch.Generator tensorflow.random.Generator.from_seed sklearn.utils.check_random_state""".split()
)

# Dotted names of functions that change arguments in place: the positions of those arguments.
MUTATING_FUNCTIONS: dict[str, tuple[int, ...]] = {
    "random.shuffle": (0,), "numpy.random.shuffle": (0,), "heapq.heappush": (0,), "heapq.heappop": (0,),
    "heapq.heapify": (0,), "heapq.heapreplace": (0,), "heapq.heappushpop": (0,), "bisect.insort": (0,),
    "bisect.insort_left": (0,), "bisect.insort_right": (0,), "numpy.put": (0,), "numpy.place": (0,),
    "numpy.copyto": (0,), "numpy.fill_diagonal": (0,), "numpy.putmask": (0,), "numpy.add.at": (0,),
    "numpy.subtract.at": (0,), "numpy.put_along_axis": (0,), "gc.collect": (), "operator.setitem": (0,),
    "operator.delitem": (0,), "pickle.dump": (1,), "json.dump": (1,), "joblib.dump": (), "nltk.download": (),
    "torch.nn.utils.clip_grad_norm_": (0,), "torch.nn.utils.clip_grad_value_": (0,), "pickle.load": (0,),
    "setattr": (0,), "delattr": (0,), "next": (0,),
}  # fmt: skip

# Functions (by last name) whose result shares memory with their first argument, or is it.
VIEW_FUNCTIONS = frozenset(
    """asarray asanyarray ascontiguousarray ravel reshape squeeze transpose atleast_1d atleast_2d atleast_3d from_numpy
    as_tensor swapaxes moveaxis expand_dims broadcast_to DataFrame Series array_split hsplit vsplit split cast
    diagonal itemgetter attrgetter""".split()
)

# Iterators that are used up by looking at them.
LAZY_METHODS = frozenset("finditer iterdir glob rglob iterrows itertuples iteritems splititer".split())

CONTAINER_MUTATORS = frozenset(
    """append appendleft extend extendleft insert add update setdefault pop popleft popitem remove discard clear sort
    reverse rotate move_to_end subtract difference_update intersection_update symmetric_difference_update
    __setitem__ __delitem__ __iadd__""".split()
)
# Container methods that give elements.
CONTAINER_PARTS = frozenset("pop popleft popitem get setdefault __getitem__ __next__".split())
