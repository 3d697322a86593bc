"""Encoders, scalers and others of scikit-learn, fitted outside of the model."""

from __future__ import annotations

from tests.family.case import FOREST, LOGISTIC, SPLIT, TREE, Case

__all__ = ["CASES"]

_LABEL = "from sklearn.preprocessing import LabelEncoder\n"

CASES = [
    Case(
        "one_label_encoder_many_columns",
        """
df["city"] = df["city"].fillna("unknown")
df["plan"] = df["plan"].fillna("none")
le = LabelEncoder()
for col in ["city", "plan", "contract", "gender"]:
    df[col] = le.fit_transform(df[col])
df["size"] = le.fit_transform(df["size"])
df["churn"] = le.fit_transform(df["churn"])
X = df[["city", "plan", "contract", "gender", "size", "fee"]]
y = df["churn"]
"""
        + SPLIT,
        imports=_LABEL,
    ),
    Case(
        "label_encoder_apply_frame",
        """
cat = df[["contract", "gender", "size"]]
df[["contract", "gender", "size"]] = cat.apply(LabelEncoder().fit_transform)
X = df[["contract", "gender", "size", "fee", "visits"]]
y = df["churn"]
"""
        + SPLIT,
        imports=_LABEL,
    ),
    Case(
        "label_encoder_apply_lambda",
        """
cols = df.select_dtypes("object").columns
df[cols] = df[cols].astype(str)
df[cols] = df[cols].apply(lambda c: LabelEncoder().fit_transform(c))
X = df.drop(columns=["churn", "customer_id", "name", "review", "phone", "age", "income", "signup", "last_visit", "spend"])
y = df["churn"]
"""
        + SPLIT,
        imports=_LABEL,
    ),
    Case(
        "dict_of_encoders",
        """
encoders = {}
for c in ["contract", "gender", "size"]:
    encoders[c] = LabelEncoder()
    df[c] = encoders[c].fit_transform(df[c])
X = df[["contract", "gender", "size", "fee"]]
y = df["churn"]
"""
        + SPLIT,
        imports=_LABEL,
    ),
    Case(
        "defaultdict_of_encoders",
        """
d = defaultdict(LabelEncoder)
small = df[["contract", "gender", "size"]]
small = small.apply(lambda x: d[x.name].fit_transform(x))
X = pd.concat([small, df[["fee", "visits"]]], axis=1)
y = df["churn"]
"""
        + SPLIT,
        imports=_LABEL + "from collections import defaultdict\n",
    ),
    Case(
        "label_encoder_fit_then_transform",
        """
for c in df.columns:
    if df[c].dtype == "object" and c not in ("name", "review", "phone", "signup", "last_visit"):
        lbl = LabelEncoder()
        lbl.fit(list(df[c].astype(str).values))
        df[c] = lbl.transform(list(df[c].astype(str).values))
X = df[["gender", "city", "plan", "contract", "size", "fee", "visits"]]
y = df["churn"]
"""
        + SPLIT,
        imports=_LABEL,
    ),
    Case(
        "label_encoder_unknown_in_test",
        """
train_df, test_df = train_test_split(df, test_size=0.3, random_state=0)
train_df, test_df = train_df.copy(), test_df.copy()
for c in ["contract", "size"]:
    le = LabelEncoder()
    le.fit(pd.concat([train_df[c], test_df[c]]))
    train_df[c] = le.transform(train_df[c])
    test_df[c] = le.transform(test_df[c])
X_train, X_test = train_df[["contract", "size", "fee"]], test_df[["contract", "size", "fee"]]
y_train, y_test = train_df["churn"], test_df["churn"]
""",
        imports=_LABEL,
    ),
    Case(
        "ordinal_encoder_frame",
        """
oe = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
cats = ["city", "plan", "contract"]
df[cats] = df[cats].fillna("NA")
df[cats] = oe.fit_transform(df[cats])
X = df[cats + ["fee", "score"]]
y = df["churn"]
"""
        + SPLIT,
        imports="from sklearn.preprocessing import OrdinalEncoder\n",
        state=("oe",),
    ),
    Case(
        "one_hot_to_frame",
        """
ohe = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
encoded = pd.DataFrame(ohe.fit_transform(df[["contract", "size"]]), columns=ohe.get_feature_names_out(["contract", "size"]), index=df.index)
df = pd.concat([df.drop(["contract", "size"], axis=1), encoded], axis=1)
X = df.drop(columns=["churn", "customer_id", "name", "gender", "age", "income", "city", "plan", "phone", "signup", "last_visit", "review", "spend"])
y = df["churn"]
"""
        + SPLIT,
        imports="from sklearn.preprocessing import OneHotEncoder\n",
        state=("ohe",),
    ),
    Case(
        "one_hot_toarray_hstack",
        """
enc = OneHotEncoder(drop="first")
hot = enc.fit_transform(df[["contract", "gender"]]).toarray()
rest = df[["fee", "visits", "rooms"]].values
X = np.hstack([hot, rest])
y = df["churn"]
"""
        + SPLIT,
        train=LOGISTIC,
        imports="from sklearn.preprocessing import OneHotEncoder\n",
    ),
    Case(
        "scaler_before_split",
        """
df["age"] = df["age"].fillna(df["age"].mean())
X = df[["age", "fee", "visits", "discount"]]
y = df["churn"]
scaler = StandardScaler()
X = scaler.fit_transform(X)
"""
        + SPLIT,
        train=LOGISTIC,
        imports="from sklearn.preprocessing import StandardScaler\n",
        state=("scaler",),
    ),
    Case(
        "scaler_after_split_frame_again",
        """
X = df[["fee", "visits", "discount", "score"]]
y = df["churn"]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
mm = MinMaxScaler()
mm.fit(X_train)
X_train = pd.DataFrame(mm.transform(X_train), columns=X.columns, index=X_train.index)
X_test = pd.DataFrame(mm.transform(X_test), columns=X.columns, index=X_test.index)
""",
        train=LOGISTIC,
        imports="from sklearn.preprocessing import MinMaxScaler\n",
        state=("mm",),
    ),
    Case(
        "scale_some_columns_loop",
        """
for c in ["fee", "visits", "discount"]:
    df[c] = StandardScaler().fit_transform(df[[c]])
df["rooms"] = RobustScaler().fit_transform(df["rooms"].values.reshape(-1, 1))
num = ["score", "customer_id"]
df[num] = MinMaxScaler().fit_transform(df[num])
X = df[["fee", "visits", "discount", "rooms", "score"]]
y = df["churn"]
"""
        + SPLIT,
        train=LOGISTIC,
        imports="from sklearn.preprocessing import StandardScaler, RobustScaler, MinMaxScaler\n",
    ),
    Case(
        "imputers",
        """
imp = SimpleImputer(strategy="median")
df[["age", "income"]] = imp.fit_transform(df[["age", "income"]])
cat_imp = SimpleImputer(strategy="most_frequent")
df[["plan"]] = cat_imp.fit_transform(df[["plan"]])
X = pd.get_dummies(df[["age", "income", "plan", "fee"]])
y = df["churn"]
"""
        + SPLIT,
        imports="from sklearn.impute import SimpleImputer\n",
        state=("imp", "cat_imp"),
    ),
    Case(
        "knn_imputer_array",
        """
num = df[["age", "income", "fee", "visits"]]
imputer = KNNImputer(n_neighbors=3)
filled = imputer.fit_transform(num)
X = pd.DataFrame(filled, columns=num.columns)
y = df["churn"]
"""
        + SPLIT,
        imports="from sklearn.impute import KNNImputer\n",
    ),
    Case(
        "pca_after_scaling",
        """
X = df[["fee", "visits", "discount", "score", "rooms"]].values
y = df["churn"].values
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
sc = StandardScaler()
X_train = sc.fit_transform(X_train)
X_test = sc.transform(X_test)
pca = PCA(n_components=3, random_state=0)
X_train = pca.fit_transform(X_train)
X_test = pca.transform(X_test)
""",
        train=LOGISTIC,
        imports="from sklearn.preprocessing import StandardScaler\nfrom sklearn.decomposition import PCA\n",
        state=("sc", "pca"),
    ),
    Case(
        "pca_and_cluster_as_features",
        """
num = df[["fee", "visits", "discount", "score"]]
km = KMeans(n_clusters=3, random_state=0, n_init=5)
km.fit(num)
df["cluster"] = km.predict(num)
comp = PCA(2).fit_transform(num)
df["pc1"] = comp[:, 0]
df["pc2"] = comp[:, 1]
X = df[["cluster", "pc1", "pc2", "rooms"]]
y = df["churn"]
"""
        + SPLIT,
        imports="from sklearn.cluster import KMeans\nfrom sklearn.decomposition import PCA\n",
    ),
    Case(
        "polynomial_and_bins",
        """
poly = PolynomialFeatures(degree=2, include_bias=False)
P = poly.fit_transform(df[["fee", "visits"]])
kb = KBinsDiscretizer(n_bins=4, encode="ordinal", strategy="uniform")
B = kb.fit_transform(df[["discount", "score"]])
X = np.c_[P, B]
y = df["churn"]
"""
        + SPLIT,
        imports="from sklearn.preprocessing import PolynomialFeatures, KBinsDiscretizer\n",
    ),
    Case(
        "count_vectorizer",
        """
df["text"] = df["review"].str.lower().str.replace(r"[^a-z ]", "", regex=True)
cv = CountVectorizer(max_features=20)
X = cv.fit_transform(df["text"]).toarray()
y = df["churn"]
"""
        + SPLIT,
        train=LOGISTIC,
        imports="from sklearn.feature_extraction.text import CountVectorizer\n",
        state=("cv",),
    ),
    Case(
        "tfidf_sparse_after_split",
        """
X_train, X_test, y_train, y_test = train_test_split(df["review"], df["churn"], random_state=0)
tfidf = TfidfVectorizer(ngram_range=(1, 2), min_df=3)
X_train_tfidf = tfidf.fit_transform(X_train)
X_test_tfidf = tfidf.transform(X_test)
""",
        train="""
from sklearn.linear_model import LogisticRegression
model = LogisticRegression()
model.fit(X_train_tfidf, y_train)
""",
        evaluate="""
pred = model.predict(X_test_tfidf)
acc = accuracy_score(y_test, pred)
""",
        imports="from sklearn.feature_extraction.text import TfidfVectorizer\n",
        state=("tfidf",),
    ),
    Case(
        "dict_vectorizer",
        """
dicts = df[["contract", "gender", "fee", "visits"]].to_dict(orient="records")
dv = DictVectorizer(sparse=False)
X = dv.fit_transform(dicts)
y = (df.churn == "Yes").astype(int).values
"""
        + SPLIT,
        train=LOGISTIC,
        imports="from sklearn.feature_extraction import DictVectorizer\n",
        state=("dv",),
    ),
    Case(
        "column_transformer_outside",
        """
X = df[["contract", "gender", "fee", "visits"]]
y = df["churn"]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
ct = make_column_transformer((OneHotEncoder(), ["contract", "gender"]), remainder=StandardScaler())
X_train = ct.fit_transform(X_train)
X_test = ct.transform(X_test)
""",
        train=LOGISTIC,
        imports="from sklearn.compose import make_column_transformer\nfrom sklearn.preprocessing import OneHotEncoder, StandardScaler\n",
        state=("ct",),
    ),
    Case(
        "power_quantile_transformers",
        """
pt = PowerTransformer()
df[["fee", "income"]] = pt.fit_transform(df[["fee", "income"]].fillna(1))
qt = QuantileTransformer(n_quantiles=50, random_state=0)
df["discount"] = qt.fit_transform(df[["discount"]])[:, 0]
X = df[["fee", "income", "discount"]]
y = df["churn"]
"""
        + SPLIT,
        train=FOREST,
        imports="from sklearn.preprocessing import PowerTransformer, QuantileTransformer\n",
    ),
    Case(
        "label_binarizer",
        """
lb = LabelBinarizer()
sizes = lb.fit_transform(df["size"])
sizes = pd.DataFrame(sizes, columns=lb.classes_)
gender = LabelBinarizer().fit_transform(df["gender"]).ravel()
df["gender"] = gender
X = pd.concat([df[["fee", "gender", "visits"]], sizes], axis=1)
y = df["churn"]
"""
        + SPLIT,
        train=TREE,
        imports="from sklearn.preprocessing import LabelBinarizer\n",
    ),
]
