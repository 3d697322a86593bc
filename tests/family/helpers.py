"""The same inside of functions of the notebook, lambdas and `apply`."""

from __future__ import annotations

from tests.family.case import FOREST, LOGISTIC, SPLIT, Case

__all__ = ["CASES"]

_LABEL = "from sklearn.preprocessing import LabelEncoder\n"

CASES = [
    Case(
        "function_preprocess_once",
        """
df = preprocess(df)
X = df.drop("churn", axis=1)
y = df["churn"]
"""
        + SPLIT,
        functions="""
def preprocess(data):
    data = data.copy()
    data["age"] = data["age"].fillna(data["age"].median())
    data["income"] = data["income"].fillna(data["income"].mean())
    data["plan"] = data["plan"].fillna(data["plan"].mode()[0])
    data["churn"] = data["churn"].map({"Yes": 1, "No": 0})
    data = data.drop(["customer_id", "name", "phone", "review", "signup", "last_visit", "city", "spend"], axis=1)
    data = pd.get_dummies(data, columns=["plan", "contract", "gender", "size"], drop_first=True)
    return data
""",
    ),
    Case(
        "function_for_train_and_test",
        """
train_df, test_df = train_test_split(df, test_size=0.3, random_state=8)
train_df = clean(train_df)
test_df = clean(test_df)
cols = ["age", "income", "fee", "rooms"]
X_train, y_train = train_df[cols], train_df["churn"]
X_test, y_test = test_df[cols], test_df["churn"]
""",
        functions="""
def clean(d):
    d = d.copy()
    d["age"] = d["age"].fillna(d["age"].mean())
    d["income"] = d["income"].fillna(d["income"].median())
    return d
""",
    ),
    Case(
        "function_with_column_argument",
        """
fill_median(df, "age")
fill_median(df, "income")
df = label(df, "contract")
df = label(df, "gender")
X = df[["age", "income", "contract", "gender", "fee"]]
y = df["churn"]
"""
        + SPLIT,
        imports=_LABEL,
        functions="""
def fill_median(frame, column):
    frame[column] = frame[column].fillna(frame[column].median())

def label(frame, column):
    le = LabelEncoder()
    frame[column] = le.fit_transform(frame[column])
    return frame
""",
    ),
    Case(
        "function_in_loop",
        """
for col in ["fee", "discount", "visits"]:
    df = cap(df, col)
X = df[["fee", "discount", "visits"]]
y = df["churn"]
"""
        + SPLIT,
        functions="""
def cap(frame, col, k=1.5):
    q1 = frame[col].quantile(0.25)
    q3 = frame[col].quantile(0.75)
    iqr = q3 - q1
    frame[col] = np.where(frame[col] > q3 + k * iqr, q3 + k * iqr, frame[col])
    return frame
""",
    ),
    Case(
        "function_reads_globals",
        """
mean_age = df["age"].mean()
mean_income = df.groupby("contract")["income"].mean()
df["age"] = df["age"].apply(fix_age)
df["income"] = df.apply(fix_income, axis=1)
X = df[["age", "income", "fee"]]
y = df["churn"]
"""
        + SPLIT,
        functions="""
def fix_age(a):
    if pd.isnull(a):
        return mean_age
    return a

def fix_income(row):
    if np.isnan(row["income"]):
        return mean_income[row["contract"]]
    else:
        return row["income"]
""",
        state=("mean_age", "mean_income"),
    ),
    Case(
        "function_returns_tuple",
        """
X, y, scaler = prepare(df)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
""",
        train=LOGISTIC,
        imports="from sklearn.preprocessing import StandardScaler\n",
        functions="""
def prepare(data):
    num = data[["fee", "visits", "score", "discount"]]
    scaler = StandardScaler()
    X = scaler.fit_transform(num)
    y = (data["churn"] == "Yes").astype(int)
    return X, y, scaler
""",
    ),
    Case(
        "function_calls_function",
        """
data = engineer(df)
X = data[["fee_z", "visits_z", "age"]]
y = data["churn"]
"""
        + SPLIT,
        functions="""
def zscore(s):
    return (s - s.mean()) / s.std()

def impute(frame):
    frame["age"] = frame["age"].fillna(frame["age"].mean())
    return frame

def engineer(frame):
    frame = impute(frame)
    frame["fee_z"] = zscore(frame["fee"])
    frame["visits_z"] = zscore(frame["visits"])
    return frame
""",
        train=LOGISTIC,
    ),
    Case(
        "apply_zscore_to_columns",
        """
cols = ["fee", "visits", "discount"]
df[cols] = df[cols].apply(norm)
df["score"] = df[["score"]].apply(lambda c: (c - c.min()) / (c.max() - c.min()))
X = df[cols + ["score"]]
y = df["churn"]
"""
        + SPLIT,
        functions="""
def norm(x):
    return (x - x.mean()) / x.std()
""",
        train=LOGISTIC,
    ),
    Case(
        "apply_row_wise",
        """
df["age"] = df["age"].fillna(df["age"].median())
top_fee = df["fee"].quantile(0.9)
df["kind"] = df.apply(lambda r: "vip" if r["fee"] > top_fee and r["active"] else ("old" if r["age"] > 60 else "std"), axis=1)
df["kind"] = df["kind"].map({"vip": 2, "old": 1, "std": 0})
df["sum"] = df[["fee", "discount"]].sum(axis=1)
df["worst"] = df[["score", "rooms"]].max(axis=1)
X = df[["kind", "sum", "worst", "visits"]]
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "function_nested_group_impute",
        """
df["income"] = df[["income", "contract"]].apply(impute_income, axis=1)
df["band"] = df["fee"].apply(band)
X = pd.get_dummies(df[["income", "band", "visits"]], columns=["band"], dtype=int)
y = df["churn"]
"""
        + SPLIT,
        functions="""
def impute_income(cols):
    income = cols.iloc[0]
    contract = cols.iloc[1]
    if pd.isnull(income):
        if contract == "Month-to-month":
            return 25000
        elif contract == "One year":
            return 30000
        else:
            return 35000
    return income

def band(x):
    if x < 10:
        return "low"
    if x < 40:
        return "mid"
    return "high"
""",
    ),
    Case(
        "pipe_chain",
        """
data = (
    df.drop(columns=["name", "review", "phone", "signup", "last_visit", "customer_id", "spend"])
    .assign(age=lambda d: d["age"].fillna(d["age"].mean()), income=lambda d: d.income.fillna(d.income.median()))
    .assign(ratio=lambda d: d["fee"] / d["income"])
    .pipe(add_dummies)
)
X = data.drop(columns="churn")
y = data["churn"]
"""
        + SPLIT,
        functions="""
def add_dummies(d):
    return pd.get_dummies(d, columns=["city", "plan", "contract", "size", "gender"])
""",
        train=FOREST,
    ),
    Case(
        "function_with_encoder_argument",
        """
le = LabelEncoder()
scaler = StandardScaler()
df["contract"] = encode(le, df["contract"])
df["size"] = encode(le, df["size"])
df[["fee", "visits"]] = scale_columns(scaler, df, ["fee", "visits"])
X = df[["contract", "size", "fee", "visits"]]
y = encode(le, df["churn"])
"""
        + SPLIT,
        imports="from sklearn.preprocessing import LabelEncoder, StandardScaler\n",
        functions="""
def encode(encoder, values):
    return encoder.fit_transform(values)

def scale_columns(s, frame, columns):
    return s.fit_transform(frame[columns])
""",
    ),
    Case(
        "function_fit_flag",
        """
train_df, test_df = train_test_split(df, random_state=2)
stats = {}
X_train = build(train_df, stats, True)
X_test = build(test_df, stats, False)
y_train, y_test = train_df["churn"], test_df["churn"]
""",
        functions="""
def build(frame, stats, training):
    out = frame[["age", "income", "fee"]].copy()
    for c in out.columns:
        if training:
            stats[c] = out[c].median()
        out[c] = out[c].fillna(stats[c])
    return out
""",
    ),
]
