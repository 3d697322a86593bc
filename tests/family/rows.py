"""Row choice, side tables, dates, texts, loops over rows, two files in one."""

from __future__ import annotations

from tests.family.case import FOREST, LINEAR, LOGISTIC, RMSE, SPLIT, Case

__all__ = ["CASES"]

CASES = [
    Case(
        "iqr_filter",
        """
Q1 = df["fee"].quantile(0.25)
Q3 = df["fee"].quantile(0.75)
IQR = Q3 - Q1
df = df[~((df["fee"] < (Q1 - 1.5 * IQR)) | (df["fee"] > (Q3 + 1.5 * IQR)))]
df = df[df["visits"] <= df["visits"].quantile(0.99)]
df["age"] = df["age"].fillna(df["age"].mean())
X = df[["fee", "visits", "age"]]
y = df["churn"]
"""
        + SPLIT,
        state=("age_mean",),
    ),
    Case(
        "zscore_mask",
        """
num = df[["fee", "visits", "discount"]]
z = np.abs(stats.zscore(num))
df = df[(z < 3).all(axis=1)]
df["fee"] = (df["fee"] - df["fee"].mean()) / df["fee"].std()
X = df[["fee", "visits", "discount"]]
y = df["churn"]
"""
        + SPLIT,
        train=LOGISTIC,
        imports="from scipy import stats\n",
    ),
    Case(
        "dropna_and_duplicates",
        """
df = df.drop(columns=["phone"])
df.dropna(inplace=True)
df.drop_duplicates(inplace=True)
df = df.reset_index(drop=True)
df["age"] = df["age"] / df["age"].max()
df["income"] = pd.qcut(df["income"], 4, labels=False)
df = pd.get_dummies(df, columns=["plan", "city"])
X = df.drop(columns=["churn", "customer_id", "name", "gender", "contract", "size", "signup", "last_visit", "review", "spend"])
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "dropna_subset_thresh_query",
        """
df = df.dropna(subset=["city", "age"]).query("fee > 3 and visits < 12")
df = df.dropna(thresh=18)
drop = df[(df["fee"] > 90) & (df["churn"] == "No")].index
df = df.drop(drop)
df["age"] = df["age"] - df["age"].mean()
df["city"] = df["city"].astype("category").cat.codes
X = df[["age", "city", "fee"]]
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "sample_and_shuffle",
        """
df = df.sample(frac=1, random_state=1).reset_index(drop=True)
small = df.sample(300, random_state=2)
small["income"] = small["income"].fillna(small["income"].median())
X = small[["income", "fee", "visits"]]
y = small["churn"]
"""
        + SPLIT,
        state=("income_median",),
    ),
    Case(
        "balance_by_concat",
        """
yes = df[df["churn"] == "Yes"]
no = df[df["churn"] == "No"].sample(len(yes), random_state=0)
df = pd.concat([yes, no]).sample(frac=1, random_state=0)
df["fee"] = df["fee"] / df["fee"].mean()
X = df[["fee", "visits", "score"]]
y = df["churn"]
"""
        + SPLIT,
    ),
    Case(
        "upsample_after_split",
        """
X = df[["fee", "visits", "discount"]]
y = df["churn"]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
both = pd.concat([X_train, y_train], axis=1)
minority = both[both.churn == "Yes"]
majority = both[both.churn == "No"]
up = resample(minority, replace=True, n_samples=len(majority), random_state=0)
both = pd.concat([majority, up])
X_train, y_train = both.drop("churn", axis=1), both["churn"]
mean = X_train.mean()
X_train = X_train - mean
X_test = X_test - mean
""",
        train=LOGISTIC,
        imports="from sklearn.utils import resample\n",
        state=("mean",),
    ),
    Case(
        "smote_like_class",
        """
X = df[["fee", "visits", "discount", "score"]]
y = df["churn"]
X, y = Smoter(random_state=1).fit_resample(X, y)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=42)
sc = StandardScaler()
X_train = sc.fit_transform(X_train)
X_test = sc.transform(X_test)
""",
        train=LOGISTIC,
        imports="from sklearn.preprocessing import StandardScaler\n",
        functions="""
class Smoter:
    def __init__(self, random_state=0):
        self.random_state = random_state

    def fit_resample(self, X, y):
        rng = np.random.default_rng(self.random_state)
        small = y.value_counts().idxmin()
        rows = X[y == small].to_numpy()
        wanted = (y != small).sum() - len(rows)
        a, b = rng.integers(0, len(rows), wanted), rng.integers(0, len(rows), wanted)
        made = rows[a] + rng.random((wanted, 1)) * (rows[b] - rows[a])
        X2 = pd.concat([X, pd.DataFrame(made, columns=X.columns)], ignore_index=True)
        y2 = pd.concat([y, pd.Series([small] * wanted, name=y.name)], ignore_index=True)
        return X2, y2
""",
    ),
    Case(
        "side_table_merge",
        """
df = df.merge(cities, on="city", how="left")
df["population"] = df["population"].fillna(cities["population"].mean())
df["rent"] = df["rent"].fillna(df["rent"].median())
df["afford"] = df["income"].fillna(df["income"].mean()) / df["rent"]
df = pd.get_dummies(df, columns=["region"])
X = df[["population", "rent", "afford", "region_Africa", "region_America", "region_Europe"]]
y = df["churn"]
"""
        + SPLIT,
        load='df = pd.read_csv("customers.csv")\ncities = pd.read_csv("cities.csv")',
    ),
    Case(
        "side_table_aggregated",
        """
agg = orders.groupby("customer_id")["amount"].agg(["sum", "mean", "count"]).reset_index()
agg.columns = ["customer_id", "o_sum", "o_mean", "o_count"]
df = df.merge(agg, on="customer_id", how="left")
df[["o_sum", "o_count"]] = df[["o_sum", "o_count"]].fillna(0)
df["o_mean"] = df["o_mean"].fillna(df["o_mean"].mean())
X = df[["o_sum", "o_mean", "o_count", "fee"]]
y = df["churn"]
"""
        + SPLIT,
        load='df = pd.read_csv("customers.csv")\norders = pd.read_csv("orders.csv")',
    ),
    Case(
        "side_table_map",
        """
pop = cities.set_index("city")["population"]
df["pop"] = df["city"].map(pop)
df["pop"].fillna(df["pop"].mean(), inplace=True)
region = dict(zip(cities["city"], cities["region"]))
df["europe"] = (df["city"].map(region) == "Europe").astype(int)
X = df[["pop", "europe", "fee"]]
y = df["churn"]
"""
        + SPLIT,
        load='df = pd.read_csv("customers.csv")\ncities = pd.read_csv("cities.csv")',
    ),
    Case(
        "date_parts",
        """
df["signup"] = pd.to_datetime(df["signup"])
df["last_visit"] = pd.to_datetime(df["last_visit"], format="%d/%m/%Y")
df["year"] = df["signup"].dt.year
df["month"] = df.signup.dt.month
df["dow"] = df["signup"].dt.dayofweek
df["weekend"] = df["dow"].isin([5, 6]).astype(int)
ref = df["signup"].max()
df["tenure"] = (ref - df["signup"]).dt.days
df["recency"] = (df["last_visit"].max() - df["last_visit"]).dt.days
df["recency"] = df["recency"].fillna(df["recency"].median())
df["quarter"] = df["signup"].apply(lambda d: (d.month - 1) // 3)
X = df[["year", "month", "dow", "weekend", "tenure", "recency", "quarter"]]
y = df["churn"]
"""
        + SPLIT,
        state=("ref",),
    ),
    Case(
        "text_cleaning",
        """
df["review"] = df["review"].apply(clean_text)
df["stars"] = df["review"].str.extract(r"(\\d)", expand=False).fillna(3).astype(int)
df["n_words"] = df["review"].str.split().str.len()
df["title"] = df["name"].str.extract(r", ([A-Za-z]+)\\.", expand=False)
df["title"] = df["title"].replace({"Miss": "Mrs"})
df["surname_len"] = df["name"].apply(lambda n: len(n.split(",")[0]))
df["fee"] = df["fee"].astype(str).str.replace(".", ",", regex=False).str.replace(",", ".").astype(float)
df["phone"] = df["phone"].fillna(0).astype(str).str[0].astype(int)
X = pd.get_dummies(df[["stars", "n_words", "title", "surname_len", "fee", "phone"]])
y = df["churn"]
"""
        + SPLIT,
        functions="""
def clean_text(t):
    t = t.lower()
    t = re.sub(r"[^a-z0-9 ]", " ", t)
    return re.sub(r"\\s+", " ", t).strip()
""",
    ),
    Case(
        "title_rare_and_group_age",
        """
df["Title"] = df["name"].apply(lambda x: x.split(",")[1].split(".")[0].strip())
counts = df["Title"].value_counts()
df["Title"] = df["Title"].apply(lambda t: "Rare" if counts[t] < 40 else t)
ages = df.groupby("Title")["age"].median()
for t in ages.index:
    df.loc[(df["age"].isnull()) & (df["Title"] == t), "age"] = ages[t]
df["Title"] = df["Title"].map({"Mr": 0, "Mrs": 1, "Miss": 2, "Rare": 3})
X = df[["Title", "age", "fee"]]
y = df["churn"]
"""
        + SPLIT,
        state=("counts", "ages"),
    ),
    Case(
        "iterrows_loop",
        """
limit = df["fee"].median()
df["flag"] = 0
for i, row in df.iterrows():
    if row["fee"] > limit and row["contract"] == "Month-to-month":
        df.at[i, "flag"] = 1
X = df[["flag", "visits", "fee"]]
y = df["churn"]
"""
        + SPLIT,
        state=("limit",),
    ),
    Case(
        "list_in_row_loop",
        """
m = df["age"].mean()
kinds = []
for a in df["age"]:
    if a != a:
        kinds.append(1)
    elif a > m:
        kinds.append(2)
    else:
        kinds.append(0)
df["kind"] = kinds
df["long"] = [1 if len(r) > 30 else 0 for r in df["review"]]
df["name_n"] = [len(n) for n in df.name.values]
big = []
for i in range(len(df)):
    big.append(df["fee"].iloc[i] > 30)
df["big"] = np.array(big).astype(int)
X = df[["kind", "long", "name_n", "big"]]
y = df["churn"]
"""
        + SPLIT,
        state=("m",),
    ),
    Case(
        "train_test_files_concat",
        """
y = train["churn"]
ntrain = train.shape[0]
all_data = pd.concat([train.drop(["churn", "spend"], axis=1), test]).reset_index(drop=True)
all_data["age"] = all_data["age"].fillna(all_data["age"].mean())
all_data["city"] = all_data["city"].fillna(all_data["city"].mode()[0])
all_data = all_data[["age", "city", "contract", "fee", "visits"]]
all_data = pd.get_dummies(all_data)
X = all_data[:ntrain]
X_submit = all_data[ntrain:]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
""",
        load='train = pd.read_csv("train.csv")\ntest = pd.read_csv("test.csv")',
        train=FOREST,
    ),
    Case(
        "train_test_files_loop",
        """
data = [train, test]
for d in data:
    d["age"] = d["age"].fillna(d["age"].median())
    d["is_oslo"] = (d["city"] == "Oslo").astype(int)
    d["contract"] = d["contract"].map({"Month-to-month": 0, "One year": 1, "Two year": 2})
cols = ["age", "is_oslo", "contract", "fee"]
X_train, X_test, y_train, y_test = train_test_split(train[cols], train["churn"], random_state=0)
X_submit = test[cols]
""",
        load='train = pd.read_csv("train.csv")\ntest = pd.read_csv("test.csv")',
    ),
    Case(
        "train_test_files_loop_serves_test",
        """
both = [train, test]
medians = np.zeros((2, 3))
kinds = ["Month-to-month", "One year", "Two year"]
for table in both:
    table["woman"] = table["gender"].map({"Female": 1, "Male": 0}).astype(int)
    table["kind"] = table["contract"].map({"Month-to-month": 0, "One year": 1, "Two year": 2})
    for i in range(2):
        for j in range(3):
            guess = table[(table["woman"] == i) & (table["kind"] == j)]["age"].dropna().median()
            medians[i, j] = int(guess / 0.5 + 0.5) * 0.5
    for i in range(2):
        for j in range(3):
            table.loc[table["age"].isnull() & (table["woman"] == i) & (table["kind"] == j), "age"] = medians[i, j]
usual = train["city"].dropna().mode()[0]
for table in both:
    table["city"] = table["city"].fillna(usual).map({"Rome": 0, "Oslo": 1, "Lima": 2, "Cairo": 3, "Quito": 4}).astype(int)
    table.loc[table["fee"] <= 10, "band"] = 0
    table.loc[table["fee"] > 10, "band"] = 1
test["visits"].fillna(test["visits"].dropna().median(), inplace=True)
X_train = train[["woman", "kind", "age", "city", "band", "visits"]]
y_train = train["churn"]
X_submit = test[["woman", "kind", "age", "city", "band", "visits"]]
""",
        load='train = pd.read_csv("train.csv")\ntest = pd.read_csv("test.csv")',
        imports="from sklearn.ensemble import RandomForestClassifier\n",
        train="model = RandomForestClassifier(n_estimators=10, random_state=0)\nmodel.fit(X_train, y_train)",
        evaluate="pred = model.predict(X_submit)\naccuracy = model.score(X_train, y_train)\nprint(accuracy)",
        state=("medians_i_j", "usual"),
    ),
    Case(
        "train_test_files_stacked",
        """
ntrain = train.shape[0]
y_train = np.log1p(train["spend"].values)
both = pd.concat((train, test)).reset_index(drop=True)
both.drop(["spend", "churn", "name", "review", "phone", "signup", "last_visit", "customer_id"], axis=1, inplace=True)
both["income"] = both.groupby("city")["income"].transform(lambda x: x.fillna(x.median()))
for column in ("age", "income"):
    both[column] = both[column].fillna(0)
both["plan"] = both["plan"].fillna(both["plan"].mode()[0])
both["score"] = both["score"].apply(str)
for column in ("contract", "size", "score"):
    encoder = LabelEncoder()
    encoder.fit(list(both[column].values))
    both[column] = encoder.transform(list(both[column].values))
numbers = both.dtypes[both.dtypes != "object"].index
skewed = both[numbers].apply(lambda x: x.astype(float).skew()).sort_values(ascending=False)
skewed = skewed[abs(skewed) > 0.75].index
for column in skewed:
    both[column] = np.log1p(both[column].astype(float))
both = pd.get_dummies(both)
X_train = both[:ntrain]
X_submit = both[ntrain:]
""",
        load='train = pd.read_csv("train.csv")\ntest = pd.read_csv("test.csv")',
        imports="from sklearn.ensemble import RandomForestRegressor\nfrom sklearn.preprocessing import LabelEncoder\n",
        train="model = RandomForestRegressor(n_estimators=10, random_state=0)\nmodel.fit(X_train, y_train)",
        evaluate="pred = np.expm1(model.predict(X_submit.values))\nr2 = model.score(X_train, y_train)\nprint(r2)",
        final="np.expm1(model.predict(X_submit.values))",
    ),
    Case(
        "train_test_files_stats_of_train",
        """
for c in ["age", "income"]:
    m = train[c].median()
    train[c] = train[c].fillna(m)
    test[c] = test[c].fillna(m)
le = LabelEncoder()
train["contract"] = le.fit_transform(train["contract"])
test["contract"] = le.transform(test["contract"])
features = ["age", "income", "contract", "fee"]
X_train, X_test, y_train, y_test = train_test_split(train[features], train["churn"], random_state=0)
submission = test[features]
""",
        load='train = pd.read_csv("train.csv")\ntest = pd.read_csv("test.csv")',
        imports="from sklearn.preprocessing import LabelEncoder\n",
    ),
    Case(
        "manual_split_by_position",
        """
df = df.sample(frac=1, random_state=4)
df["income"] = df["income"].fillna(df["income"].mean())
n = int(len(df) * 0.8)
train_df, test_df = df.iloc[:n], df.iloc[n:]
feats = ["income", "fee", "visits"]
X_train, X_test = train_df[feats].values, test_df[feats].values
y_train, y_test = train_df["churn"].values, test_df["churn"].values
mu, sd = X_train.mean(axis=0), X_train.std(axis=0)
X_train = (X_train - mu) / sd
X_test = (X_test - mu) / sd
""",
        train=LOGISTIC,
        state=("mu", "sd"),
    ),
    Case(
        "mask_split",
        """
np.random.seed(0)
msk = np.random.rand(len(df)) < 0.7
df["rooms"] = df["rooms"] - df["rooms"].mean()
train_df = df[msk]
test_df = df[~msk]
X_train, y_train = train_df[["rooms", "fee"]], train_df["spend"]
X_test, y_test = test_df[["rooms", "fee"]], test_df["spend"]
""",
        train=LINEAR,
        evaluate=RMSE,
    ),
]
