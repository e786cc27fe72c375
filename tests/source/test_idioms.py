"""Ways of writing the same thing: data flow through names, functions, classes, dictionaries, loops and masks."""

from __future__ import annotations

from pathlib import Path

import pytest

from .reader import FRAME, rules

PROGRAMS = {
    "a scaler from a star import": (
        """
from sklearn.preprocessing import *
from sklearn.model_selection import train_test_split as tts

"""
        + FRAME
        + """
X = RobustScaler().fit_transform(X)
a, b, c, d = tts(X, y)
m = LogisticRegression().fit(a, c)
m.score(b, d)
""",
        {"preprocessing-before-split"},
    ),
    "a function that scales and splits": (
        FRAME
        + """


def prep():
    s = StandardScaler()
    Z = s.fit_transform(X)
    return train_test_split(Z, y)


a, b, c, d = prep()
m = LogisticRegression()
m.fit(a, c)
m.predict(b)
""",
        {"preprocessing-before-split"},
    ),
    "a class that prepares and trains": (
        """
class T:
    def __init__(self, path):
        self.df = pd.read_csv(path)

    def prepare(self):
        self.X = self.df.drop(columns=["t"]).values
        self.y = self.df["t"].values
        self.scaler = StandardScaler()
        self.X = self.scaler.fit_transform(self.X)
        self.a, self.b, self.c, self.d = train_test_split(self.X, self.y)

    def train(self):
        self.m = Sequential([Dense(1, activation="sigmoid")])
        self.m.compile("adam", "binary_crossentropy")
        self.m.fit(self.a, self.c, validation_data=(self.b, self.d))


if __name__ == "__main__":
    t = T("x.csv")
    t.prepare()
    t.train()
""",
        {"preprocessing-before-split"},
    ),
    "a class that nothing here uses": (
        """
class T:
    def __init__(self, path):
        self.df = pd.read_csv(path)

    def prepare(self):
        self.X = self.df.drop(columns=["t"]).values
        self.y = self.df["t"].values
        self.X = StandardScaler().fit_transform(self.X)
        self.a, self.b, self.c, self.d = train_test_split(self.X, self.y)

    def train(self):
        self.m = Sequential([Dense(1, activation="sigmoid")])
        self.m.compile("adam", "binary_crossentropy")
        self.m.fit(self.a, self.c, validation_data=(self.b, self.d))
""",
        {"preprocessing-before-split"},
    ),
    "parts kept in a dictionary": (
        FRAME
        + """
X = StandardScaler().fit_transform(X)
a, b, c, d = train_test_split(X, y)
data = {"train": (a, c), "test": (b, d)}
m = LogisticRegression().fit(*data["train"])
m.score(*data["test"])
""",
        {"preprocessing-before-split"},
    ),
    "a vectoriser fitted on two lists joined": (
        """
from sklearn.feature_extraction.text import TfidfVectorizer

tr = pd.read_csv("a.csv")
te = pd.read_csv("b.csv")
v = TfidfVectorizer()
v.fit(list(tr["x"].values) + list(te["x"].values))
A = v.transform(tr["x"])
B = v.transform(te["x"])
m = LogisticRegression().fit(A, tr["y"])
m.predict(B)
""",
        {"preprocessing-before-split"},
    ),
    "a helper that trains and predicts": (
        FRAME
        + """
X = StandardScaler().fit_transform(X)
a, b, c, d = train_test_split(X, y)


def run(m, a, b, c, d):
    m.fit(a, c)
    p = m.predict(b)
    print((p == d).mean())


for m in [LogisticRegression()]:
    run(m, a, b, c, d)
""",
        {"preprocessing-before-split"},
    ),
    "a function that nothing here calls": (
        """
def train(X, y):
    X = StandardScaler().fit_transform(X)
    a, b, c, d = train_test_split(X, y)
    m = LogisticRegression().fit(a, c)
    return m.score(b, d)
""",
        {"preprocessing-before-split"},
    ),
    "z-scores of all rows": (
        FRAME
        + """
from scipy import stats

X = stats.zscore(X)
a, b, c, d = train_test_split(X, y)
m = LogisticRegression().fit(a, c)
m.score(b, d)
""",
        {"preprocessing-before-split"},
    ),
    "columns normalised by a lambda": (
        FRAME
        + """
X = X.apply(lambda c: (c - c.min()) / (c.max() - c.min()))
a, b, c, d = train_test_split(X, y)
m = LogisticRegression().fit(a, c)
m.score(b, d)
""",
        {"preprocessing-before-split"},
    ),
    "columns scaled in a loop": (
        """
df = pd.read_csv("d.csv")
for c in ["a", "b"]:
    df[c] = StandardScaler().fit_transform(df[[c]])
a, b, c, d = train_test_split(df.drop("t", axis=1), df["t"])
m = LogisticRegression().fit(a, c)
m.score(b, d)
""",
        {"preprocessing-before-split"},
    ),
    "columns chosen by their type": (
        """
df = pd.read_csv("d.csv")
num = df.select_dtypes(include="number").columns
df[num] = StandardScaler().fit_transform(df[num])
a, b, c, d = train_test_split(df.drop("t", axis=1), df["t"])
m = LogisticRegression().fit(a, c)
m.score(b, d)
""",
        {"preprocessing-before-split"},
    ),
    "a scaler inside each fold": (
        FRAME
        + """
from sklearn.model_selection import StratifiedKFold

skf = StratifiedKFold(5)
for i, (tr, te) in enumerate(skf.split(X, y)):
    a, b = X.iloc[tr], X.iloc[te]
    s = StandardScaler()
    a = s.fit_transform(a)
    b = s.transform(b)
    m = LogisticRegression().fit(a, y.iloc[tr])
    m.score(b, y.iloc[te])
""",
        set(),
    ),
    "slices of a batch each": (
        """
X = np.load("x.npy")
y = np.load("y.npy")
out = []
for i in range(0, len(X), 32):
    out.append(X[i : i + 32])
X = np.concatenate(out)
a, b, c, d = train_test_split(X, y)
m = LogisticRegression().fit(a, c)
m.score(b, d)
""",
        set(),
    ),
    "clusters looked at on their own rows": (
        FRAME
        + """
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

k = KMeans(3).fit(X)
print(silhouette_score(X, k.predict(X)))
""",
        set(),
    ),
    "an autoencoder looked at on its own rows": (
        """
X = np.load("x.npy")
m = Sequential([Dense(8), Dense(32, activation="sigmoid")])
m.compile("adam", "mse")
m.fit(X, X)
from sklearn.metrics import mean_squared_error

print(mean_squared_error(X, m.predict(X)))
""",
        set(),
    ),
    "a last fit on everything, after the test": (
        FRAME
        + """
a, b, c, d = train_test_split(X, y)
m = LogisticRegression()
m.fit(a, c)
m.score(b, d)
m.fit(X, y)
te = pd.read_csv("t.csv")
p = m.predict(te)
""",
        set(),
    ),
    "training accuracy beside a validation split": (
        FRAME
        + """
m = Sequential([Dense(1, activation="sigmoid")])
m.compile("adam", "binary_crossentropy")
m.fit(X, y, validation_split=0.2)
print(m.evaluate(X, y))
""",
        set(),
    ),
    "a shuffle frozen by a cache": (
        """
ds = tf.data.Dataset.from_tensor_slices(np.load("x.npy")).shuffle(100).cache()
m = Sequential([Dense(1)])
m.compile("adam", "mse")
m.fit(ds.take(5), validation_data=ds.skip(5))
""",
        set(),
    ),
    "one of two scalers, rightly fitted": (
        FRAME
        + """
a, b, c, d = train_test_split(X, y)
import os

if os.environ.get("S"):
    s = StandardScaler()
else:
    s = MinMaxScaler()
a = s.fit_transform(a)
b = s.transform(b)
m = LogisticRegression().fit(a, c)
m.score(b, d)
""",
        set(),
    ),
    "layers from one of two imports": (
        """
try:
    from tensorflow.keras.layers import Dense as D
except ImportError:
    from keras.layers import Dense as D
m = Sequential([D(4), D(1, activation="softmax")])
m.compile("adam", "mse")
m.fit(np.load("x"), np.load("y"))
""",
        {"softmax-on-one-unit"},
    ),
    "columns that a selector supports": (
        FRAME
        + """
from sklearn.feature_selection import RFE

r = RFE(LogisticRegression(), n_features_to_select=5)
r.fit(X, y)
X = X[X.columns[r.support_]]
a, b, c, d = train_test_split(X, y)
m = LogisticRegression().fit(a, c)
m.score(b, d)
""",
        {"selection-before-split"},
    ),
    "SMOTE before cross-validation": (
        FRAME
        + """
from imblearn.over_sampling import SMOTE

X, y = SMOTE().fit_resample(X, y)
print(cross_val_score(LogisticRegression(), X, y))
""",
        {"resampled-before-split"},
    ),
    "SMOTE inside a pipeline": (
        FRAME
        + """
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline

p = Pipeline([("s", SMOTE()), ("m", LogisticRegression())])
print(cross_val_score(p, X, y))
""",
        set(),
    ),
    "parts by date, scaler on the first": (
        """
df = pd.read_csv("d.csv", parse_dates=["date"])
tr = df[df.date < "2020"]
te = df[df.date >= "2020"]
s = StandardScaler().fit(tr[["a"]])
m = LogisticRegression().fit(s.transform(tr[["a"]]), tr.y)
m.score(s.transform(te[["a"]]), te.y)
""",
        set(),
    ),
    "parts by date, scaler on both": (
        """
df = pd.read_csv("d.csv", parse_dates=["date"])
df["a"] = StandardScaler().fit_transform(df[["a"]])
tr = df[df.date < "2020"]
te = df[df.date >= "2020"]
m = LogisticRegression().fit(tr[["a"]], tr.y)
m.score(te[["a"]], te.y)
""",
        {"preprocessing-before-split"},
    ),
    "the whole frame as features": (
        """
df = pd.read_csv("d.csv")
y = df["t"].values
X = df.values
a, b, c, d = train_test_split(X, y)
m = LogisticRegression().fit(a, c)
m.score(b, d)
""",
        {"target-in-features"},
    ),
    "features without the last column": (
        """
df = pd.read_csv("d.csv")
y = df["t"].values
X = df.iloc[:, :-1].values
a, b, c, d = train_test_split(X, y)
m = LogisticRegression().fit(a, c)
m.score(b, d)
""",
        set(),
    ),
    "a mirrored copy put below": (
        """
X = np.load("x.npy")
y = np.load("y.npy")
Xa = np.concatenate([X, X[:, :, ::-1]])
ya = np.concatenate([y, y])
a, b, c, d = train_test_split(Xa, ya)
m = LogisticRegression().fit(a, c)
m.score(b, d)
""",
        {"resampled-before-split"},
    ),
    "discriminant analysis before the split": (
        FRAME
        + """
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis as LDA

l = LDA()
X = l.fit_transform(X, y)
a, b, c, d = train_test_split(X, y)
m = LogisticRegression().fit(a, c)
m.score(b, d)
""",
        {"selection-before-split"},
    ),
    "Normalization adapted to all rows": (
        """
X = np.load("x.npy")
y = np.load("y.npy")
n = layers.Normalization()
n.adapt(X)
a, b, c, d = train_test_split(X, y)
m = Sequential([n, Dense(1)])
m.compile("adam", "mse")
m.fit(a, c)
m.evaluate(b, d)
""",
        {"preprocessing-before-split"},
    ),
    "Normalization adapted to training rows": (
        """
X = np.load("x.npy")
y = np.load("y.npy")
a, b, c, d = train_test_split(X, y)
n = layers.Normalization()
n.adapt(a)
m = Sequential([n, Dense(1)])
m.compile("adam", "mse")
m.fit(a, c)
m.evaluate(b, d)
""",
        set(),
    ),
    "one model for all folds, through a function": (
        FRAME
        + """
model = Sequential([Dense(1)])
model.compile("adam", "mse")


def go(m, tr, te):
    m.fit(X.values[tr], y.values[tr])
    return m.evaluate(X.values[te], y.values[te])


for tr, te in KFold(3).split(X):
    go(model, tr, te)
""",
        {"state-shared-across-folds"},
    ),
    "subsets of a folder with two seeds": (
        """
a = keras.utils.image_dataset_from_directory("d", validation_split=0.2, subset="training", seed=1)
b = keras.utils.image_dataset_from_directory("d", validation_split=0.2, subset="validation", seed=2)
m = Sequential([layers.Flatten(), Dense(3, activation="softmax")])
m.compile("adam", "sparse_categorical_crossentropy")
m.fit(a, validation_data=b)
""",
        {"overlapping-rows"},
    ),
    "dummies of the labels": (
        FRAME
        + """
y = pd.get_dummies(y)
a, b, c, d = train_test_split(X, y)
m = Sequential([Dense(3, activation="softmax")])
m.compile("adam", "categorical_crossentropy")
m.fit(a, c)
m.evaluate(b, d)
""",
        set(),
    ),
    "generators over a series scaled as a whole": (
        """
from keras.preprocessing.sequence import TimeseriesGenerator

s = pd.read_csv("s.csv")[["c"]].values
s = MinMaxScaler().fit_transform(s)
n = int(len(s) * 0.8)
a, b = s[:n], s[n:]
g = TimeseriesGenerator(a, a, length=5)
h = TimeseriesGenerator(b, b, length=5)
m = Sequential([Dense(1)])
m.compile("adam", "mse")
m.fit(g, validation_data=h)
""",
        {"preprocessing-before-split"},
    ),
    "validation data as a list": (
        FRAME
        + """
X = StandardScaler().fit_transform(X)
a, b, c, d = train_test_split(X, y)
m = Sequential([Dense(1, activation="sigmoid")])
m.compile("adam", "binary_crossentropy")
m.fit(a, c, validation_data=[b, d])
""",
        {"preprocessing-before-split"},
    ),
    "rows shuffled, scaled and cut": (
        """
from sklearn.utils import shuffle

X = np.load("x")
y = np.load("y")
X, y = shuffle(X, y)
X = StandardScaler().fit_transform(X)
a, b = X[:100], X[100:]
m = LogisticRegression().fit(a, y[:100])
m.score(b, y[100:])
""",
        {"preprocessing-before-split"},
    ),
    "rows permuted, standardised and cut": (
        """
X = np.load("x")
y = np.load("y")
i = np.random.permutation(len(X))
X = X[i]
y = y[i]
X = (X - X.mean()) / X.std()
a, b = X[:100], X[100:]
m = LogisticRegression().fit(a, y[:100])
m.score(b, y[100:])
""",
        {"preprocessing-before-split"},
    ),
    "test rows standardised by the training rows": (
        """
(xa, ya), (xb, yb) = keras.datasets.boston_housing.load_data()
m = xa.mean(axis=0)
xa -= m
s = xa.std(axis=0)
xa /= s
xb -= m
xb /= s
n = Sequential([Dense(1)])
n.compile("adam", "mse")
n.fit(xa, ya)
n.evaluate(xb, yb)
""",
        set(),
    ),
    "reviews, tokenised as a whole, with a cut test set": (
        """
from keras.preprocessing.text import Tokenizer
from keras.preprocessing.sequence import pad_sequences

data = pd.read_csv("s.csv")
data = data[["text", "sentiment"]]
data = data[data.sentiment != "Neutral"]
data["text"] = data["text"].apply(lambda x: x.lower())
tok = Tokenizer(num_words=2000)
tok.fit_on_texts(data["text"].values)
X = tok.texts_to_sequences(data["text"].values)
X = pad_sequences(X)
Y = pd.get_dummies(data["sentiment"]).values
a, b, c, d = train_test_split(X, Y)
m = Sequential([layers.Embedding(2000, 8), layers.LSTM(8), Dense(2, activation="softmax")])
m.compile("adam", "categorical_crossentropy")
m.fit(a, c)
Xv = b[-1500:]
Yv = d[-1500:]
b = b[:-1500]
d = d[:-1500]
score, acc = m.evaluate(b, d)
for x in range(len(Xv)):
    r = m.predict(Xv[x].reshape(1, b.shape[1]))[0]
""",
        {"preprocessing-before-split"},
    ),
    "questions, tokenised by the training rows": (
        """
from keras.preprocessing.text import Tokenizer

train = pd.read_csv("train.csv")
test = pd.read_csv("test.csv")
train, val = train_test_split(train)
tok = Tokenizer()
A = train["q"].fillna("_").values
B = val["q"].fillna("_").values
C = test["q"].fillna("_").values
tok.fit_on_texts(list(A))
A = tok.texts_to_sequences(A)
B = tok.texts_to_sequences(B)
C = tok.texts_to_sequences(C)
m = Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
m.compile("adam", "binary_crossentropy")
m.fit(A, train["t"].values, validation_data=(B, val["t"].values))
p = m.predict(C)
""",
        set(),
    ),
    "a vectoriser fitted on both files": (
        """
from sklearn.feature_extraction.text import TfidfVectorizer

train = pd.read_csv("train.csv")
test = pd.read_csv("test.csv")
all_text = pd.concat([train["c"], test["c"]])
v = TfidfVectorizer()
v.fit(all_text)
A = v.transform(train["c"])
B = v.transform(test["c"])
for name in ["a", "b"]:
    lr = LogisticRegression()
    print(cross_val_score(lr, A, train[name]))
    lr.fit(A, train[name])
    sub = lr.predict_proba(B)[:, 1]
""",
        {"preprocessing-before-split"},
    ),
    "images read in a loop": (
        """
import os, cv2

X = []
y = []
for f in os.listdir("i"):
    im = cv2.imread(f)
    im = cv2.resize(im, (64, 64))
    X.append(im)
    y.append(f)
X = np.array(X) / 255.0
y = np.array(y)
a, b, c, d = train_test_split(X, y)
m = Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
m.compile("adam", "binary_crossentropy")
m.fit(a, c, validation_data=(b, d))
m.evaluate(b, d)
""",
        set(),
    ),
    "images standardised as a whole": (
        """
import os, cv2

X = []
y = []
for f in os.listdir("i"):
    X.append(cv2.imread(f))
    y.append(f)
X = np.array(X)
X = (X - X.mean()) / X.std()
y = np.array(y)
a, b, c, d = train_test_split(X, y)
m = Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
m.compile("adam", "binary_crossentropy")
m.fit(a, c)
m.evaluate(b, d)
""",
        {"preprocessing-before-split"},
    ),
    "a loader and a split from elsewhere": (
        """
from utils import load, split

X, y = load()
X = StandardScaler().fit_transform(X)
a, b, c, d = split(X, y)
m = Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
m.compile("adam", "binary_crossentropy")
m.fit(a, c)
m.evaluate(b, d)
""",
        {"preprocessing-before-split"},
    ),
    "rows divided by NumPy": (
        """
X = np.load("x")
X = StandardScaler().fit_transform(X)
a, b = np.split(X, 2)
m = Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
m.compile("adam", "binary_crossentropy")
m.fit(a, a)
m.evaluate(b, b)
""",
        {"preprocessing-before-split"},
    ),
    "a standardised frame, sampled": (
        """
df = pd.read_csv("d")
df = (df - df.mean()) / df.std()
tr = df.sample(frac=0.8)
te = df.drop(tr.index)
m = LogisticRegression().fit(tr[["a"]], tr["t"])
m.score(te[["a"]], te["t"])
""",
        {"preprocessing-before-split"},
    ),
    "a data set divided by Keras": (
        """
X = np.load("x")
tr, te = keras.utils.split_dataset(X, left_size=0.8)
m = Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
m.compile("adam", "binary_crossentropy")
m.fit(tr, validation_data=te)
""",
        set(),
    ),
    "folds by groups after scaling": (
        """
from sklearn.model_selection import GroupKFold

"""
        + FRAME
        + """
X = MinMaxScaler().fit_transform(X)
g = GroupKFold(5)
for tr, te in g.split(X, y, df["g"]):
    m = LogisticRegression().fit(X[tr], y[tr])
    m.score(X[te], y[te])
""",
        {"preprocessing-before-split"},
    ),
    "a function for each fold in a comprehension": (
        FRAME
        + """


def ev(tr, te):
    m = Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
    m.compile("adam", "binary_crossentropy")
    m.fit(X.values[tr], y.values[tr], verbose=0)
    return m.evaluate(X.values[te], y.values[te])


s = [ev(a, b) for a, b in KFold(5).split(X)]
""",
        set(),
    ),
    "functions for data and model": (
        FRAME
        + """


def data():
    return train_test_split(X, y, random_state=1)


def model():
    m = Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
    m.compile("adam", "binary_crossentropy")
    return m


a, b, c, d = data()
n = model()
n.fit(a, c)
n.evaluate(b, d)
""",
        set(),
    ),
    "callbacks in a list with a name": (
        FRAME
        + """
a, b, c, d = train_test_split(X, y)
m = Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
m.compile("adam", "binary_crossentropy")
es = keras.callbacks.EarlyStopping(monitor="val_loss", restore_best_weights=True)
cb = [es]
m.fit(a, c, validation_data=(b, d), callbacks=cb)
m.evaluate(b, d)
""",
        {"test-set-reused"},
    ),
    "early stopping by the training loss": (
        FRAME
        + """
a, b, c, d = train_test_split(X, y)
m = Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
m.compile("adam", "binary_crossentropy")
es = keras.callbacks.EarlyStopping(monitor="loss")
m.fit(a, c, validation_data=(b, d), callbacks=[es])
m.evaluate(b, d)
""",
        set(),
    ),
    "a builder for a tuner": (
        """
def build(hp):
    m = Sequential()
    for i in range(hp.Int("n", 1, 3)):
        m.add(Dense(hp.Int("u", 8, 64)))
    m.add(Dense(1, activation="sigmoid"))
    m.compile(keras.optimizers.Adam(hp.Choice("lr", [1e-2, 1e-3])), "binary_crossentropy")
    return m
""",
        set(),
    ),
    "two outputs with a loss each": (
        """
i = keras.Input((3,))
a = Dense(1, activation="sigmoid")(i)
b = Dense(3, activation="softmax")(i)
m = Model(i, [a, b])
m.compile("adam", loss=["binary_crossentropy", "categorical_crossentropy"])
m.fit(np.load("x"), [np.load("y"), np.load("z")])
""",
        set(),
    ),
    "scalers for inputs and targets": (
        FRAME
        + """
a, b, c, d = train_test_split(X, y)
sx = StandardScaler()
sy = StandardScaler()
a = sx.fit_transform(a)
b = sx.transform(b)
c = sy.fit_transform(c.values.reshape(-1, 1))
d = sy.transform(d.values.reshape(-1, 1))
m = Sequential([Dense(1)])
m.compile("adam", "mse")
m.fit(a, c, validation_data=(b, d))
""",
        set(),
    ),
    "windows within the parts of a series": (
        """
s = pd.read_csv("s.csv")["v"].values.reshape(-1, 1)
n = len(s) // 2
tr, te = s[:n], s[n:]
sc = MinMaxScaler()
tr = sc.fit_transform(tr)
te = sc.transform(te)


def win(d, k):
    a, b = [], []
    for i in range(len(d) - k):
        a.append(d[i : i + k])
        b.append(d[i + k])
    return np.array(a), np.array(b)


a, c = win(tr, 5)
b, d = win(te, 5)
m = Sequential([layers.LSTM(4), Dense(1)])
m.compile("adam", "mse")
m.fit(a, c, validation_split=0.1)
m.evaluate(b, d)
""",
        set(),
    ),
    "gaps filled by the median of a group": (
        """
df = pd.read_csv("d")
df["a"] = df["a"].fillna(df.groupby("g")["a"].transform("median"))
a, b, c, d = train_test_split(df[["a"]], df["t"])
m = LogisticRegression().fit(a, c)
m.score(b, d)
""",
        {"preprocessing-before-split"},
    ),
    "values clipped to fixed limits": (
        """
df = pd.read_csv("d")
df["a"] = df["a"].clip(0, 1)
a, b, c, d = train_test_split(df[["a"]], df["t"])
m = LogisticRegression().fit(a, c)
m.score(b, d)
""",
        set(),
    ),
    "group means of the target, mapped": (
        """
df = pd.read_csv("d")
means = df.groupby("city")["t"].mean()
df["cm"] = df["city"].map(means)
a, b, c, d = train_test_split(df.drop(columns="t"), df["t"])
m = LogisticRegression().fit(a, c)
m.score(b, d)
""",
        {"selection-before-split"},
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_however_it_is_written_the_same_is_said_of_it(name: str, tmp_path: Path) -> None:
    code, expected = PROGRAMS[name]
    assert rules(code, tmp_path) == expected


def test_a_vocabulary_of_both_files_does_not_make_their_rows_the_same(tmp_path: Path) -> None:
    code = """
from mine import stories
def numbers(index, texts):
    rows = []
    for text in texts:
        rows.append([index[word] for word in text])
    return np.array(rows)
train, test = stories("train"), stories("test")
index = dict((word, i) for i, word in enumerate(sorted(set(train + test))))
X_train, X_test = numbers(index, train), numbers(index, test)
m = LogisticRegression().fit(X_train, np.load("y.npy"))
m.score(X_test, np.load("y_test.npy"))
"""
    assert rules(code, tmp_path) == set()


def test_a_program_that_is_too_long_is_followed_as_far_as_it_goes(tmp_path: Path) -> None:
    start = FRAME + "m = LogisticRegression().fit(X, y)\nprint(m.score(X, y))\n"
    assert rules(start, tmp_path) == {"validation-is-training"}
    assert rules(start + "z = 1 + 2 + 3 + 4 + 5\n" * 5000, tmp_path) == set()


def test_many_cuts_after_each_other_take_no_longer_than_they_are_many(tmp_path: Path) -> None:
    cuts = "for i in range(12):\n    X = X[mask]\n    y = y[mask]\n    X, rest, y, other = train_test_split(X, y)\n"
    code = (
        "X, y, mask = np.load('x'), np.load('y'), np.load('m')\n"
        + cuts
        + "m = LogisticRegression().fit(X, y)\nm.score(rest, other)\n"
    )
    assert rules(code, tmp_path) == set()
