"""What a value of the preparation is: constant, learned, one row for each row, or an element of a row."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["COLUMN_FACTS", "REDUCERS", "ROW_CHOICE", "ROW_LOOPS", "Kind"]


class Kind(IntEnum):
    """Ordered: what is made of several values is of the highest kind, unless the run showed otherwise."""

    CONST = 0  # does not depend on the raw table
    STATE = 1  # learned from the raw table: a mean, a level list, a fitted encoder
    ELEM = 2  # a cell or a row inside of a loop over rows or of a function applied to each row
    COUNT = 3  # the number of rows
    GROUPS = 4  # a groupby that was not reduced yet
    ROWS = 5  # one row for each row of the raw table (or of a choice of them)


# Methods that make few values of many rows.
REDUCERS = frozenset(
    {"mean", "median", "mode", "std", "var", "sem", "mad", "quantile", "min", "max", "sum", "prod", "count", "nunique", "unique",
     "value_counts", "describe", "corr", "corrwith", "cov", "agg", "aggregate", "idxmax", "idxmin", "skew", "kurt", "kurtosis",
     "any", "all", "to_dict", "pivot_table", "crosstab", "first", "last", "size", "argmax", "argmin", "ptp", "nanmean", "nanmedian",
     "nanstd", "nanmax", "nanmin", "percentile", "nanpercentile", "average", "item", "memory_usage", "iqr"}
)  # fmt: skip
# Methods and functions that give some of the rows, or the rows in another order.
ROW_CHOICE = frozenset(
    {"dropna", "drop_duplicates", "sample", "query", "head", "tail", "sort_values", "sort_index", "nlargest", "nsmallest",
     "reset_index", "drop", "train_test_split", "fit_resample", "fit_sample", "shuffle", "resample", "concat", "append", "merge",
     "filter", "vstack", "explode", "take", "compress", "delete"}
)  # fmt: skip
# Attributes of a table that say something of its columns.
COLUMN_FACTS = frozenset({"columns", "dtypes", "dtype", "name", "names", "ndim"})
# Loops over these go from row to row.
ROW_LOOPS = frozenset({"iterrows", "itertuples"})
