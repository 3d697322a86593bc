"""Small notebooks, by rule: some that it must find, and near misses that it must not.

A notebook is a tuple of cells. A cell is its source; ``In [3]: `` in front gives it an execution count.
"""

from __future__ import annotations

__all__ = ["BAD", "GOOD", "Cells"]

Cells = tuple[str, ...]

IMPORTS = """import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_selection import RFE, SelectKBest, f_classif
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, mean_squared_error
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline, Pipeline
from sklearn.preprocessing import LabelEncoder, MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.decomposition import PCA
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from sklearn.utils import resample
"""
LOAD = "df = pd.read_csv('data.csv')"
XY = "X = df.drop('y', axis=1)\ny = df['y']"
SPLIT = "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)"


def nb(*cells: str) -> Cells:
    """A notebook with the usual imports."""
    return (IMPORTS, *cells)


def counted(*cells: tuple[int | None, str]) -> Cells:
    """A notebook with execution counts."""
    return tuple(source if count is None else f"In [{count}]: {source}" for count, source in cells)


BAD: dict[str, list[Cells]] = {
    "syntax-error": [("print 'a'",), ("x = (1,",), ("x = 1", "for i in range(3)\n    print(i)")],
    "magic": [("%store x",), ("%run other.ipynb",), ("%%cython\ndef f(): pass", "%store -r y")],
    "shell-line": [("!ls -l",), ("files = !ls",), ("!wget -q somewhere",)],
    "undefined-name": [("print(a)",), ("def f():\n    return b", "f()"), ("x = 1\nx + z",)],
    "defined-later": [("print(a)", "a = 1"), ("f()", "def f():\n    return 1"), ("def g():\n    return k", "g()", "k = 2")],
    "dynamic-code": [("exec('a = 1')",), ("n = 'x'\nglobals()[n] = 1",), ("x = eval('1 + 1')",)],
    "out-of-order": [
        counted((2, "a = 1"), (1, "b = 2")),
        counted((1, "a = 1"), (5, "b = 2"), (3, "c = 3")),
        counted((7, "a = 1"), (8, "b = a"), (2, "c = 3")),
    ],
    "not-run": [
        counted((1, "a = 1"), (None, "b = 2"), (2, "c = 3")),
        counted((None, "a = 1"), (1, "c = 3")),
        counted((1, "a = 1"), (2, "b = 1"), (None, "x = 2"), (None, "y = 3"), (3, "z = 4")),
    ],
    "hidden-runs": [
        counted((1, "a = 1"), (4, "b = 2")),
        counted((1, "a = 1"), (2, "b = 2"), (4, "c = 3")),
        counted((3, "a = 1"), (4, "b = 2"), (9, "c = 3")),
    ],
    "scaled-before-split": [
        nb(LOAD, XY, "X = StandardScaler().fit_transform(X)", SPLIT),
        nb(LOAD, "imputer = SimpleImputer()\ndf[['a']] = imputer.fit_transform(df[['a']])", XY, SPLIT),
        nb(LOAD, XY, "sc = MinMaxScaler()\nsc.fit(X)\nX_scaled = sc.transform(X)", SPLIT.replace("(X,", "(X_scaled,")),
        nb(LOAD, XY, "def prepare(d):\n    s = StandardScaler()\n    return s.fit_transform(d)", "X = prepare(X)", SPLIT),
        nb(LOAD, XY, "X = PCA(n_components=2).fit_transform(X)", SPLIT),
        nb(LOAD, XY, SPLIT, "sc = StandardScaler().fit(X)\nX_train = sc.transform(X_train)\nX_test = sc.transform(X_test)"),
    ],
    "statistic-before-split": [
        nb(LOAD, "df['a'] = df['a'].fillna(df['a'].mean())", XY, SPLIT),
        nb(LOAD, "df.fillna(df.median(), inplace=True)", XY, SPLIT),
        nb(LOAD, "m = df['a'].mode()[0]\ndf['a'].fillna(m, inplace=True)", XY, SPLIT),
        nb(LOAD, XY, "X = (X - X.mean()) / X.std()", SPLIT),
        nb(LOAD, "df['a'] = df['a'].fillna(df.groupby('b')['a'].transform('mean'))", XY, SPLIT),
    ],
    "selected-before-split": [
        nb(LOAD, XY, "X = SelectKBest(f_classif, k=3).fit_transform(X, y)", SPLIT),
        nb(LOAD, XY, "rfe = RFE(LogisticRegression(), n_features_to_select=3)\nrfe.fit(X, y)\nX = X[X.columns[rfe.support_]]", SPLIT),
        nb(LOAD, XY, "rf = RandomForestClassifier(random_state=0).fit(X, y)\ntop = pd.Series(rf.feature_importances_, X.columns).nlargest(5).index\nX = X[top]", SPLIT),
        nb(LOAD, XY, "best = SelectKBest(k=3)\nX_new = best.fit_transform(X, y)\nprint(cross_val_score(LogisticRegression(), X_new, y).mean())"),
    ],
    "target-encoded-before-split": [
        nb(LOAD, "df['c'] = df['c'].map(df.groupby('c')['y'].mean())", XY, SPLIT),
        nb(LOAD, "df['c'] = df.groupby('c')['y'].transform('mean')", XY, SPLIT),
        nb(LOAD, XY, "from sklearn.preprocessing import TargetEncoder\nX = TargetEncoder().fit_transform(X, y)", SPLIT),
    ],
    "resampled-before-split": [
        nb(LOAD, XY, "X, y = SMOTE(random_state=0).fit_resample(X, y)", SPLIT),
        nb(LOAD, XY, "ros = RandomOverSampler(random_state=0)\nX_res, y_res = ros.fit_resample(X, y)", SPLIT.replace("(X, y", "(X_res, y_res")),
        nb(LOAD, "few = df[df['y'] == 1]\nmany = df[df['y'] == 0]\nfew = resample(few, replace=True, n_samples=len(many), random_state=0)\ndf = pd.concat([few, many])", XY, SPLIT),
        nb(LOAD, XY, "X, y = SMOTE(random_state=0).fit_resample(X, y)\nprint(cross_val_score(LogisticRegression(), X, y).mean())"),
        nb(LOAD, XY, "X, y = RandomUnderSampler(random_state=0).fit_resample(X, y)", SPLIT),
    ],
    "trained-on-test-rows": [
        nb(LOAD, XY, SPLIT, "m = LinearRegression().fit(X, y)\nm.score(X_test, y_test)"),
        nb(LOAD, XY, SPLIT, "m = LinearRegression()\nm.fit(X_test, y_test)\nprint(mean_squared_error(y_test, m.predict(X_test)))"),
        nb(LOAD, XY, SPLIT, "m = LinearRegression()\nm.fit(X, y)", "pred = m.predict(X_test)", "print(mean_squared_error(y_test, pred))"),
    ],
    "target-in-features": [
        nb(LOAD, "X = df[['a', 'b', 'y']]\ny = df['y']", SPLIT),
        nb(LOAD, "cols = ['a', 'y']\nX = df[cols]\ny = df.y", SPLIT),
        nb(LOAD, "X = df[['y', 'b']].values\ny = df['y'].values", SPLIT),
    ],
    "refit-on-test": [
        nb(LOAD, XY, SPLIT, "sc = StandardScaler()\nX_train = sc.fit_transform(X_train)\nX_test = sc.fit_transform(X_test)"),
        nb(LOAD, XY, SPLIT, "X_train['c'] = LabelEncoder().fit_transform(X_train['c'])\nX_test['c'] = LabelEncoder().fit_transform(X_test['c'])"),
        nb(LOAD, XY, SPLIT, "def prep(d):\n    return StandardScaler().fit_transform(d)", "a = prep(X_train)\nb = prep(X_test)"),
        nb(LOAD, XY, SPLIT, "le = LabelEncoder()\nfor d in [X_train, X_test]:\n    d['c'] = le.fit_transform(d['c'])"),
        nb("train = pd.read_csv('train.csv')\ntest = pd.read_csv('test.csv')", "sc = MinMaxScaler()\na = sc.fit_transform(train)\nb = sc.fit_transform(test)"),
    ],
    "statistic-of-test": [
        nb(LOAD, XY, SPLIT, "X_test = X_test.fillna(X_test.mean())"),
        nb("test = pd.read_csv('test.csv')\ntest['Age'].fillna(test['Age'].median(), inplace=True)"),
        nb(LOAD, XY, SPLIT, "for d in (X_train, X_test):\n    d['a'] = d['a'].fillna(d['a'].mode()[0])"),
        nb(LOAD, XY, SPLIT, "X_test = (X_test - X_test.mean()) / X_test.std()"),
    ],
    "dummies-per-part": [
        nb(LOAD, XY, SPLIT, "X_train = pd.get_dummies(X_train)\nX_test = pd.get_dummies(X_test)"),
        nb("train = pd.read_csv('train.csv')\ntest = pd.read_csv('test.csv')", "train = pd.get_dummies(train)\ntest = pd.get_dummies(test)"),
        nb(LOAD, XY, SPLIT, "def encode(d):\n    return pd.get_dummies(d, columns=['c'])", "X_train = encode(X_train)\nX_test = encode(X_test)"),
    ],
    "prepared-differently": [
        nb(LOAD, XY, SPLIT, "sc = StandardScaler()\nA = sc.fit_transform(X_train)\nm = LogisticRegression().fit(A, y_train)\nm.score(X_test, y_test)"),
        nb(LOAD, XY, SPLIT, "sc = StandardScaler().fit(X_train)\nB = sc.transform(X_test)\nm = LogisticRegression().fit(X_train, y_train)\nprint(accuracy_score(y_test, m.predict(B)))"),
        nb(LOAD, XY, SPLIT, "sc = StandardScaler()\nX_train = sc.fit_transform(X_train)\nm = LogisticRegression().fit(X_train, y_train)\nm.predict([[5.1, 3.5, 1.4]])"),
    ],
    "evaluated-on-training-rows": [
        nb(LOAD, XY, "m = LinearRegression().fit(X, y)\nm.score(X, y)"),
        nb(LOAD, XY, "m = LinearRegression()\nm.fit(X, y)", "pred = m.predict(X)\nprint(mean_squared_error(y, pred))"),
        nb(LOAD, XY, SPLIT, "m = LogisticRegression()\nm.fit(X_train, y_train)\nprint(m.score(X_train, y_train))"),
    ],
    "unseeded-split": [
        nb(LOAD, XY, "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2)"),
        nb(LOAD, "kf = KFold(n_splits=5, shuffle=True)"),
        nb(LOAD, "train, test = train_test_split(df, random_state=None)"),
        nb(LOAD, "def split(d):\n    return train_test_split(d, test_size=0.3)", "train, test = split(df)"),
    ],
    "unseeded-estimator": [
        nb("m = RandomForestClassifier(n_estimators=10)"),
        nb("models = [RandomForestRegressor(), LinearRegression()]"),
        nb("m = LogisticRegression(solver='saga')"),
        ("from sklearn.cluster import KMeans\nkm = KMeans(3)",),
        ("from sklearn.svm import SVC\nm = SVC(probability=True)",),
    ],
    "unseeded-sampling": [
        nb(LOAD, "part = df.sample(frac=0.5)"),
        nb("noise = np.random.randn(100)"),
        ("import random\nx = random.choice([1, 2, 3])",),
        nb("rng = np.random.default_rng()\nx = rng.normal(size=3)"),
    ],
    "unpinned-install": [("!pip install seaborn",), ("%pip install -q shap lime",), ("!pip install git+somewhere/repo.git",)],
    "missing-package": [
        ("import package_that_nobody_has",),
        ("from package_that_nobody_has.inner import thing",),
        ("import json, package_that_nobody_has as p",),
    ],
    "absolute-path": [
        ("import pandas as pd\ndf = pd.read_csv('/content/drive/MyDrive/data.csv')",),
        ("import pandas as pd\ndf = pd.read_csv(r'C:\\data\\train.csv')",),
        ("path = '/mnt/data/images'",),
        ("import os\nos.chdir('/kaggle/input/titanic')",),
        ("import pandas as pd\ndf = pd.read_csv('~/data/train.csv')",),
    ],
    "address": [
        ("import pandas as pd\ndf = pd.read_csv('https://data.test/a.csv')",),
        ("url = 's3://bucket/data.parquet'",),
        ("import urllib.request\nurllib.request.urlretrieve('http://data.test/a.zip', 'a.zip')",),
    ],
    "secret": [
        ("api_key = '9f8a7c6e5d4b3a29180716253443526f'",),
        ("import os\nos.environ['AWS_SECRET_ACCESS_KEY'] = 'wJalrXUtnFEMIK7MDENGbPxRfiCYzz12'",),
        ("connect = dict(user='me', password='hunter22')",),
        ("engine = 'postgresql://me:s3cretpw@db.test:5432/x'",),
        ("%env HF_TOKEN=hf_abcdefghijklmnopqrstuvwxyzABCDEFGH",),
    ],
    "input-call": [("n = int(input('n? '))",), ("from getpass import getpass\np = getpass()",), ("def ask():\n    return input()", "ask()")],
    "debugger": [("breakpoint()",), ("import pdb; pdb.set_trace()",), ("%debug",)],
    "removed-call": [
        ("import numpy as np\nx = np.float(3)",),
        ("from sklearn.datasets import load_boston",),
        ("from sklearn.preprocessing import OneHotEncoder\ne = OneHotEncoder(sparse=False)",),
        ("import pandas as pd\ndf = pd.read_csv('a.csv')\ndf = df.append({'a': 1}, ignore_index=True)",),
        ("from sklearn.cross_validation import train_test_split",),
        ("import pandas as pd\ndf = pd.read_csv('a.csv')\nx = df.ix[0]",),
        ("import matplotlib.pyplot as plt\nplt.style.use('seaborn-whitegrid')",),
        ("from sklearn.ensemble import RandomForestRegressor\nm = RandomForestRegressor(max_features='auto', random_state=0)",),
        ("from sklearn.metrics import mean_squared_error\nrmse = mean_squared_error([1], [2], squared=False)",),
    ],
    "deprecated-call": [
        ("import seaborn as sns\nsns.distplot([1, 2, 3])",),
        ("import pandas as pd\ndf = pd.read_csv('a.csv')\ndf = df.fillna(method='ffill')",),
        ("from sklearn.linear_model import LogisticRegression\nm = LogisticRegression(penalty='l2')",),
        ("import pandas as pd\ndf = pd.read_csv('a.csv').applymap(str)",),
    ],
    "positional-plot-data": [
        ("import seaborn as sns\nimport pandas as pd\ndf = pd.read_csv('a.csv')\nsns.scatterplot(df.a, df.b)",),
        ("import seaborn as sns\nimport pandas as pd\ndf = pd.read_csv('a.csv')\nsns.countplot('a', data=df)",),
        ("import seaborn as sns\nimport pandas as pd\ndf = pd.read_csv('a.csv')\nsns.regplot('a', 'b', df)",),
    ],
    "chained-assignment": [
        ("import pandas as pd\ndf = pd.read_csv('a.csv')\ndf['a'].fillna(0, inplace=True)",),
        ("import pandas as pd\ndf = pd.read_csv('a.csv')\ndf['a'][df.b > 3] = 0",),
        ("import pandas as pd\ndf = pd.read_csv('a.csv')\ndf[df.b > 3]['a'] = 0",),
        ("import pandas as pd\ndf = pd.read_csv('a.csv')\ndf.a.replace('x', 'y', inplace=True)",),
    ],
}  # fmt: skip

GOOD: dict[str, list[Cells]] = {
    "syntax-error": [("%matplotlib inline\nprint('a')",), ("!ls\nx = 1",), ("%%html\n<b>no Python</b>",), ("await thing()\nx?",)],
    "magic": [("%matplotlib inline",), ("%%time\nx = 1",), ("%load_ext autoreload\n%autoreload 2",)],
    "shell-line": [("!pip install pandas==2.0",), ("x = 5 != 3",), ("# !ls",)],
    "undefined-name": [("from math import *\nsqrt(4)",), ("def f(x):\n    return [y for y in x]", "f([1])"), ("display(1)\nIn, Out",), ("try:\n    a\nexcept NameError:\n    a = 1",)],
    "defined-later": [("def f():\n    return k", "k = 1", "f()"), ("a = 1", "print(a)", "a = 2"), ("class A:\n    def m(self):\n        return B()", "class B: pass", "A().m()")],
    "dynamic-code": [("import ast\nast.literal_eval('1')",), ("import pandas as pd\ndf = pd.DataFrame({'a': [1]})\ndf.eval('a + 1')",), ("class M:\n    def eval(self): pass\nM().eval()",)],
    "out-of-order": [
        counted((1, "a = 1"), (2, "b = 2")), counted((3, "a = 1"), (9, "b = 2")), counted((None, "a = 1"), (None, "b = 2")),
    ],
    "not-run": [
        counted((None, "a = 1"), (None, "b = 2")), counted((1, "a = 1"), (2, "b = 2"), (None, "c = 3")), counted((1, "a = 1"), (None, ""), (2, "b = 2")),
    ],
    "hidden-runs": [
        counted((1, "a = 1"), (2, "b = 2")), counted((5, "a = 1"), (6, "b = 2")), counted((None, "a = 1"), (None, "b = 2")),
    ],
    "scaled-before-split": [
        nb(LOAD, XY, SPLIT, "sc = StandardScaler()\nX_train = sc.fit_transform(X_train)\nX_test = sc.transform(X_test)"),
        nb(LOAD, XY, "m = make_pipeline(StandardScaler(), LogisticRegression())\nprint(cross_val_score(m, X, y).mean())"),
        nb(LOAD, XY, "shown = StandardScaler().fit_transform(X)\npd.DataFrame(shown).hist()", SPLIT),
        nb(LOAD, "from sklearn.cluster import KMeans\nX = StandardScaler().fit_transform(df)\nKMeans(3, random_state=0).fit(X)"),
        nb(LOAD, "df['c'] = LabelEncoder().fit_transform(df['c'])", XY, SPLIT),
        nb(LOAD, XY, SPLIT, "sc = StandardScaler()\nX_train = sc.fit_transform(X_train)\nA, B, a, b = train_test_split(X_train, y_train, random_state=0)"),
    ],
    "statistic-before-split": [
        nb(LOAD, XY, SPLIT, "X_train = X_train.fillna(X_train.mean())"),
        nb(LOAD, "df['a'] = df['a'].fillna(0)", XY, SPLIT),
        nb(LOAD, "print(df['a'].mean())\ndf['a'] = df['a'].fillna('none')", XY, SPLIT),
        nb(LOAD, "df['a'] = df['a'].fillna(df['a'].mean())\ndf.hist()"),
        nb(LOAD, "df['m'] = df[['a', 'b']].mean(axis=1)", XY, SPLIT),
    ],
    "selected-before-split": [
        nb(LOAD, XY, SPLIT, "best = SelectKBest(k=3).fit(X_train, y_train)\nX_train = best.transform(X_train)"),
        nb(LOAD, XY, "m = make_pipeline(SelectKBest(k=3), LogisticRegression())\ncross_val_score(m, X, y)"),
        nb(LOAD, XY, "rf = RandomForestClassifier(random_state=0).fit(X, y)\nprint(rf.feature_importances_)", SPLIT),
    ],
    "target-encoded-before-split": [
        nb(LOAD, "df.groupby('c')['y'].mean().plot()", XY, SPLIT),
        nb(LOAD, "df['size'] = df['c'].map(df.groupby('c')['a'].mean())", XY, SPLIT),
        nb(LOAD, XY, SPLIT, "means = y_train.groupby(X_train['c']).mean()\nX_train['c'] = X_train['c'].map(means)"),
    ],
    "resampled-before-split": [
        nb(LOAD, XY, SPLIT, "X_train, y_train = SMOTE(random_state=0).fit_resample(X_train, y_train)"),
        nb(LOAD, XY, "from imblearn.pipeline import make_pipeline as chain\nm = chain(SMOTE(random_state=0), LogisticRegression())\ncross_val_score(m, X, y)"),
        nb("s = pd.read_csv('s.csv', index_col=0, parse_dates=True)\ns = s.resample('D').mean()", "X, y = s[['a']], s['y']", SPLIT),
    ],
    "trained-on-test-rows": [
        nb(LOAD, XY, SPLIT, "m = LinearRegression().fit(X_train, y_train)\nm.score(X_test, y_test)"),
        nb(LOAD, XY, SPLIT, "m = LinearRegression().fit(X_train, y_train)\nm.score(X_test, y_test)\nm.fit(X, y)"),
        nb(LOAD, XY, "for a, b in KFold(5).split(X):\n    m = LinearRegression().fit(X.iloc[a], y.iloc[a])\n    print(m.score(X.iloc[b], y.iloc[b]))"),
        nb(LOAD, XY, "A, B, a, b = train_test_split(X, y, train_size=0.5, random_state=0)\nm = LinearRegression()\nq = m.fit(A, a).predict(B)\np = m.fit(B, b).predict(A)\nprint(mean_squared_error(a, p), mean_squared_error(b, q))"),
        nb(LOAD, XY, "from sklearn.model_selection import StratifiedShuffleSplit\nsss = StratifiedShuffleSplit(n_splits=1, random_state=0)\nrest, held = next(sss.split(X, y))\nX_train_valid, y_train_valid = X.iloc[rest], y.iloc[rest]\nm = LinearRegression().fit(X_train_valid, y_train_valid)\nm.score(X.iloc[held], y.iloc[held])"),
    ],
    "target-in-features": [
        nb(LOAD, "X = df[['a', 'b']]\ny = df['y']", SPLIT),
        nb(LOAD, XY, SPLIT),
        nb(LOAD, "X = df[['a', 'y']]\ny = df['z']", SPLIT),
    ],
    "refit-on-test": [
        nb(LOAD, XY, SPLIT, "sc = StandardScaler()\nX_train = sc.fit_transform(X_train)\nX_test = sc.transform(X_test)"),
        nb(LOAD, XY, SPLIT, "m = LinearRegression()\nm.fit(X_train, y_train)\nm.fit(X_test, y_test)"),
        nb(LOAD, XY, SPLIT, "from sklearn.preprocessing import PolynomialFeatures\np = PolynomialFeatures()\nX_train = p.fit_transform(X_train)\nX_test = p.fit_transform(X_test)"),
        nb(LOAD, XY, "for a, b in StratifiedKFold(5).split(X, y):\n    sc = StandardScaler()\n    A = sc.fit_transform(X.iloc[a])\n    B = sc.transform(X.iloc[b])"),
    ],
    "statistic-of-test": [
        nb("test = pd.read_json('test.json')\nbands = []\nfor _, row in test.iterrows():\n    a = np.array(row['band'])\n    bands.append((a - a.mean()) / a.std())"),
        nb(LOAD, XY, SPLIT, "X_test = X_test.fillna(X_train.mean())"),
        nb(LOAD, XY, SPLIT, "m = LinearRegression().fit(X_train, y_train)\nr2 = 1 - ((y_test - m.predict(X_test)) ** 2).sum() / ((y_test - y_test.mean()) ** 2).sum()"),
        nb(LOAD, XY, SPLIT, "print(X_test.mean())\nX_test = X_test.fillna(0)"),
    ],
    "dummies-per-part": [
        nb(LOAD, "df = pd.get_dummies(df)", XY, SPLIT),
        nb(LOAD, XY, SPLIT, "X_train = pd.get_dummies(X_train)\nX_test = pd.get_dummies(X_test)\nX_train, X_test = X_train.align(X_test, join='left', axis=1)"),
        nb(LOAD, XY, SPLIT, "enc = OneHotEncoder(handle_unknown='ignore')\nX_train = enc.fit_transform(X_train)\nX_test = enc.transform(X_test)"),
    ],
    "prepared-differently": [
        nb(LOAD, XY, SPLIT, "sc = StandardScaler()\nA = sc.fit_transform(X_train)\nB = sc.transform(X_test)\nm = LogisticRegression().fit(A, y_train)\nm.score(B, y_test)"),
        nb(LOAD, XY, SPLIT, "m = make_pipeline(StandardScaler(), LogisticRegression())\nm.fit(X_train, y_train)\nm.score(X_test, y_test)\nm.predict([[1.0, 2.0]])"),
        nb(LOAD, XY, SPLIT, "A, b = SMOTE(random_state=0).fit_resample(X_train, y_train)\nm = LogisticRegression().fit(A, b)\nm.score(X_test, y_test)"),
        nb(LOAD, XY, SPLIT, "def prep(d, sc):\n    return sc.transform(d)", "sc = StandardScaler().fit(X_train)\nm = LogisticRegression().fit(prep(X_train, sc), y_train)\nm.score(prep(X_test, sc), y_test)"),
    ],
    "evaluated-on-training-rows": [
        nb(LOAD, XY, SPLIT, "m = LogisticRegression().fit(X_train, y_train)\nprint(m.score(X_train, y_train))\nprint(m.score(X_test, y_test))"),
        nb(LOAD, XY, "m = LinearRegression().fit(X, y)\nprint(m.score(X, y))\nprint(cross_val_score(LinearRegression(), X, y))"),
        nb(LOAD, "from sklearn.cluster import KMeans\nfrom sklearn.metrics import silhouette_score\nk = KMeans(3, random_state=0).fit(df)\nprint(silhouette_score(df, k.labels_))"),
        nb(LOAD, XY, SPLIT, "m = RandomForestClassifier(oob_score=True, random_state=0).fit(X_train, y_train)\nprint(m.score(X_train, y_train), m.oob_score_)"),
    ],
    "unseeded-split": [
        nb(LOAD, XY, SPLIT),
        nb("np.random.seed(0)", LOAD, "train, test = train_test_split(df)"),
        nb(LOAD, "train, test = train_test_split(df, shuffle=False)"),
        nb("kf = KFold(n_splits=5)"),
        nb(LOAD, "opts = {'random_state': 0}\ntrain, test = train_test_split(df, **opts)"),
    ],
    "unseeded-estimator": [
        nb("m = RandomForestClassifier(random_state=1)"),
        nb("m = LogisticRegression()\nn = LinearRegression()"),
        nb("np.random.seed(3)", "m = RandomForestClassifier()"),
        ("from sklearn.svm import SVC\nm = SVC()",),
    ],
    "unseeded-sampling": [
        nb(LOAD, "df.sample(5)"),
        nb(LOAD, "part = df.sample(frac=0.5, random_state=0)"),
        nb("np.random.seed(1)\nnoise = np.random.randn(100)"),
        nb("rng = np.random.default_rng(0)\nx = rng.normal(size=3)"),
        ("import random\nrandom.seed(0)\nx = random.random()",),
    ],
    "unpinned-install": [("!pip install seaborn==0.13.2",), ("%pip install -r requirements.txt",), ("!pip install 'shap>=0.45,<0.46'",), ("!pip --version",)],
    "missing-package": [
        ("import json, re",), ("try:\n    import package_that_nobody_has\nexcept ImportError:\n    package = None",),
        ("!pip install package_that_nobody_has==1", "import package_that_nobody_has"),
    ],
    "absolute-path": [
        ("import pandas as pd\ndf = pd.read_csv('../input/train.csv')",), ("url = '/predict'\npattern = '/[a-z]+/x'",), ("print('/mnt/data/images is mounted')",),
        ("x = 'a/b/c'\nunit = 'm/s'",),
    ],
    "address": [
        ("# https://data.test/a.csv\nx = 1",), ("print('see https://data.test')",), ('"""Source: https://data.test/a"""\nx = 1',),
        ("from IPython.display import Image\nImage(url='https://data.test/a.png')",),
    ],
    "secret": [
        ("import os\napi_key = os.environ['API_KEY']",), ("api_key = 'YOUR_API_KEY_GOES_HERE'",), ("password = ''\ntoken = '<oov>'",),
        ("tokenizer = dict(oov_token='<UNK>', pad_token='[PAD]')",), ("key = 'PassengerId'\nsort_key = 'date2'",),
        ("digest = 'd41d8cd98f00b204e9800998ecf8427e'",),
    ],
    "input-call": [("def input(x):\n    return x", "input(1)"), ("def ask():\n    return input('n? ')",), ("files = dict(input='a.csv')\nfiles['input']",)],
    "debugger": [("debug = True",), ("def set_trace():\n    pass", "set_trace()"), ("import pdb",)],
    "removed-call": [
        ("import numpy as np\nx = np.float64(3)\ny = np.bool_(1)\nz = np.array([1]).astype(np.bool)",),
        ("import pandas as pd\nrows = []\nrows.append(1)\ndf = pd.DataFrame(rows)",),
        ("from sklearn.preprocessing import OneHotEncoder\ne = OneHotEncoder(sparse_output=False)",),
        ("import matplotlib.pyplot as plt\nplt.style.use('ggplot')\nplt.style.use('seaborn-v0_8')",),
        ("import numpy as np\nx = np.append([1], [2])\nclass A:\n    ix = 3\nA().ix",),
        ("from sklearn.ensemble import GradientBoostingRegressor\nm = GradientBoostingRegressor(loss='squared_error', random_state=0)",),
    ],
    "deprecated-call": [
        ("import seaborn as sns\nsns.histplot([1, 2, 3])",), ("import pandas as pd\ndf = pd.read_csv('a.csv').fillna(value=0)",),
        ("from sklearn.linear_model import SGDClassifier\nm = SGDClassifier(penalty='l2', random_state=0)",),
        ("import pandas as pd\ndf = pd.read_csv('a.csv').interpolate(method='linear')",),
    ],
    "positional-plot-data": [
        ("import seaborn as sns\nimport pandas as pd\ndf = pd.read_csv('a.csv')\nsns.scatterplot(x=df.a, y=df.b)",),
        ("import seaborn as sns\nimport pandas as pd\ndf = pd.read_csv('a.csv')\nsns.heatmap(df.corr(), annot=True)\nsns.boxplot(df['a'])",),
        ("import matplotlib.pyplot as plt\nplt.scatter([1], [2])\nplt.boxplot([1], None)",),
        ("import seaborn as sns\nimport pandas as pd\ndf = pd.read_csv('a.csv')\nsns.boxplot(df, x='a', y='b')",),
    ],
    "chained-assignment": [
        ("import pandas as pd\ndf = pd.read_csv('a.csv')\ndf.fillna(0, inplace=True)\ndf['a'] = df['a'].fillna(0)",),
        ("import pandas as pd\ndf = pd.read_csv('a.csv')\ndf.loc[df.b > 3, 'a'] = 0",),
        ("d = {'a': {}}\nd['a']['b'] = 1\nm = [[1, 2]]\nm[0][1] = 2",),
        ("import pandas as pd\nframes = {'a': pd.read_csv('a.csv')}\nframes['a'].dropna(inplace=True)",),
    ],
}  # fmt: skip
