from __future__ import annotations

from pathlib import Path

import pytest

from .reader import FRAME, NETWORK, findings, rules

FIT = NETWORK + "model.fit(X_train, y_train)\nprint(model.evaluate(X_test, y_test))\n"
SPLIT = "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2)\n"
TRAINED = FRAME + SPLIT + FIT
SERIES = 'df = pd.read_csv("series.csv")\n'
BY_TIME = "X_train, X_test, y_train, y_test = train_test_split(X, y, shuffle=False)\n"

LEAKS = {
    "a scaler fitted on everything": (
        FRAME + "X = StandardScaler().fit_transform(X)\n" + SPLIT + FIT,
        {"preprocessing-before-split"},
    ),
    "a scaler fitted on everything and applied to each part": (
        FRAME
        + SPLIT
        + "scaler = MinMaxScaler()\nscaler.fit(X)\nX_train = scaler.transform(X_train)\n"
        + "X_test = scaler.transform(X_test)\n"
        + FIT,
        {"preprocessing-before-split"},
    ),
    "mean and deviation from describe()": (
        FRAME + "stats = X.describe().T\nX = (X - stats['mean']) / stats['std']\n" + SPLIT + FIT,
        {"preprocessing-before-split"},
    ),
    "bins of equal counts": (
        "df = pd.read_csv('a.csv')\ndf['bin'] = pd.qcut(df['a'], 5, labels=False)\n"
        + "X, y = df.drop(columns='target'), df['target']\n"
        + SPLIT
        + FIT,
        {"preprocessing-before-split"},
    ),
    "columns chosen by a selector's support": (
        FRAME
        + "from sklearn.feature_selection import RFE\nfrom sklearn.linear_model import LogisticRegression\n"
        + "r = RFE(LogisticRegression())\nr.fit(X, y)\nX = X.loc[:, r.support_]\n"
        + SPLIT
        + FIT,
        {"selection-before-split"},
    ),
    "columns chosen by a model's importances": (
        FRAME
        + "from sklearn.ensemble import RandomForestClassifier\n"
        + "forest = RandomForestClassifier().fit(X, y)\ntop = np.argsort(forest.feature_importances_)[-10:]\n"
        + "X = X.iloc[:, top]\n"
        + SPLIT
        + FIT,
        {"selection-before-split"},
    ),
    "a vocabulary of all texts, called outside of the model": (
        "df = pd.read_csv('a.csv')\ntexts = keras.layers.TextVectorization(1000)\ntexts.adapt(df['text'].values)\n"
        + "X, y = texts(df['text'].values), df['target'].values\n"
        + SPLIT
        + FIT,
        {"preprocessing-before-split"},
    ),
    "ranks": (
        "df = pd.read_csv('a.csv')\ndf['rank'] = df['a'].rank(pct=True)\n"
        + "X, y = df.drop(columns='target'), df['target']\n"
        + SPLIT
        + FIT,
        {"preprocessing-before-split"},
    ),
    "a function applied to each column": (
        "from scipy.stats import zscore\n" + FRAME + "X = X.apply(zscore)\n" + SPLIT + FIT,
        {"preprocessing-before-split"},
    ),
    "an expression of polars": (
        "import polars as pl\ndf = pl.read_csv('a.csv')\n"
        + "df = df.with_columns(((pl.col('a') - pl.col('a').mean()) / pl.col('a').std()).alias('a'))\n"
        + "X, y = df.drop('target').to_numpy(), df['target'].to_numpy()\n"
        + SPLIT
        + FIT,
        {"preprocessing-before-split"},
    ),
    "labels made from a column that stays among the features": (
        "df = pd.read_csv('a.csv')\ndf['high'] = (df['price'] > 140).astype(int)\n"
        + "X, y = df.drop(columns='high'), df['high']\n"
        + SPLIT
        + FIT,
        {"target-in-features"},
    ),
    "names of classes that stay among the features": (
        "df = pd.read_csv('a.csv')\ndf['label'] = df['diagnosis'].map({'M': 1, 'B': 0})\n"
        + "X, y = df.drop(columns=['label']), df['label']\n"
        + SPLIT
        + FIT,
        {"target-in-features"},
    ),
    "a scaled frame that still holds the target": (
        "df = pd.read_csv('a.csv')\ny = df['price']\nX = MinMaxScaler().fit_transform(df)\n" + SPLIT + FIT,
        {"preprocessing-before-split", "target-in-features"},
    ),
    "a scaler in a function": (
        FRAME
        + """
def prepare(table):
    scaler = StandardScaler()
    return scaler.fit_transform(table.fillna(0))
X = prepare(X)
"""
        + SPLIT
        + FIT,
        {"preprocessing-before-split"},
    ),
    "a scaler kept by a class": (
        FRAME
        + """
class Preparation:
    def __init__(self):
        self.scaler = StandardScaler()
    def learn(self, table):
        self.scaler.fit(table)
        return self
    def apply(self, table):
        return self.scaler.transform(table)
preparation = Preparation()
X = preparation.learn(X).apply(X)
"""
        + SPLIT
        + FIT,
        {"preprocessing-before-split"},
    ),
    "a scaled column of the frame": (
        """
df = pd.read_csv("data.csv")
df[["age", "fare"]] = StandardScaler().fit_transform(df[["age", "fare"]])
X, y = df[["age", "sex"]].values, df["target"].values
"""
        + SPLIT
        + FIT,
        {"preprocessing-before-split"},
    ),
    "an imputer inside a column transformer": (
        FRAME
        + """
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
X = ColumnTransformer([("fill", SimpleImputer(), ["a"])]).fit_transform(X)
"""
        + SPLIT
        + FIT,
        {"preprocessing-before-split"},
    ),
    "gaps filled with the mean of all rows": (
        FRAME + 'X["age"] = X["age"].fillna(X["age"].mean())\n' + SPLIT + FIT,
        {"preprocessing-before-split"},
    ),
    "gaps filled in place": (
        'df = pd.read_csv("data.csv")\ndf["age"].fillna(df["age"].median(), inplace=True)\n'
        'X = df.drop(columns=["target"])\ny = df["target"]\n' + SPLIT + FIT,
        {"preprocessing-before-split"},
    ),
    "standardised by hand": (
        FRAME + "X = (X - X.mean(axis=0)) / X.std(axis=0)\n" + SPLIT + FIT,
        {"preprocessing-before-split"},
    ),
    "standardised by hand with NumPy": (
        "X = np.load('x.npy')\ny = np.load('y.npy')\nmu, sigma = np.mean(X, axis=0), np.std(X, axis=0)\n"
        "X -= mu\nX /= sigma\n" + SPLIT + FIT,
        {"preprocessing-before-split"},
    ),
    "a tokenizer on all texts": (
        """
from keras.preprocessing.text import Tokenizer
from keras.preprocessing.sequence import pad_sequences
df = pd.read_csv("reviews.csv")
tokenizer = Tokenizer(num_words=1000)
tokenizer.fit_on_texts(df["text"])
X = pad_sequences(tokenizer.texts_to_sequences(df["text"]), maxlen=100)
y = df["label"].values
"""
        + SPLIT
        + FIT,
        {"preprocessing-before-split"},
    ),
    "Normalization adapted to everything": (
        FRAME
        + SPLIT
        + """
norm = layers.Normalization()
norm.adapt(X)
X_train, X_test = norm(X_train), norm(X_test)
"""
        + FIT,
        {"preprocessing-before-split"},
    ),
    "train and test tables prepared together": (
        """
train, test = pd.read_csv("train.csv"), pd.read_csv("test.csv")
both = pd.concat([train, test])
both = StandardScaler().fit_transform(both)
X_train, X_test = both[:len(train)], both[len(train):]
y_train = train["target"]
model = LogisticRegression()
model.fit(X_train, y_train)
answer = model.predict(X_test)
""",
        {"preprocessing-before-split"},
    ),
    "a scaler before validation_split": (
        FRAME + "X = StandardScaler().fit_transform(X)\n" + NETWORK + "model.fit(X, y, validation_split=0.2)\n",
        {"preprocessing-before-split"},
    ),
    "a scaler before cross-validation": (
        FRAME + "X = StandardScaler().fit_transform(X)\nprint(cross_val_score(LogisticRegression(), X, y))\n",
        {"preprocessing-before-split"},
    ),
    "a scaler before folds": (
        FRAME
        + """
X = StandardScaler().fit_transform(X)
for train, test in KFold(5).split(X):
    model = LogisticRegression().fit(X[train], y[train])
    print(model.score(X[test], y[test]))
""",
        {"preprocessing-before-split"},
    ),
    "rows cut by hand": (
        FRAME
        + "X = StandardScaler().fit_transform(X)\nn = int(0.8 * len(X))\n"
        + "X_train, X_test, y_train, y_test = X[:n], X[n:], y[:n], y[n:]\n"
        + FIT,
        {"preprocessing-before-split"},
    ),
    "selection with the labels": (
        FRAME
        + "from sklearn.feature_selection import SelectKBest, f_classif\n"
        + "X = SelectKBest(f_classif, k=20).fit_transform(X, y)\n"
        + SPLIT
        + FIT,
        {"selection-before-split"},
    ),
    "columns chosen by their correlation": (
        """
df = pd.read_csv("data.csv")
corr = df.corr()["target"].abs()
chosen = corr[corr > 0.3].index
X, y = df[chosen], df["target"]
"""
        + SPLIT
        + FIT,
        {"selection-before-split"},
    ),
    "columns listed by their correlation": (
        """
df = pd.read_csv("data.csv")
strength = df.corr()["target"].abs()
chosen = [name for name in df.columns if strength[name] > 0.3 and name != "target"]
X, y = df[chosen], df["target"]
"""
        + SPLIT
        + FIT,
        {"selection-before-split"},
    ),
    "a target encoder": (
        FRAME + "from category_encoders import TargetEncoder\nX = TargetEncoder().fit_transform(X, y)\n" + SPLIT + FIT,
        {"selection-before-split"},
    ),
    "group means of the target": (
        """
df = pd.read_csv("data.csv")
df["city_mean"] = df.groupby("city")["target"].transform("mean")
X, y = df.drop(columns=["target"]), df["target"]
"""
        + SPLIT
        + FIT,
        {"selection-before-split"},
    ),
    "group means of a column that is named as the labels only where it is fitted": (
        """
df = pd.read_csv("data.csv")
df["city_mean"] = df.groupby("city")["target"].transform("mean")
train, test = train_test_split(df)
model = LogisticRegression().fit(train[["age", "city_mean"]], train["target"].values)
model.score(test[["age", "city_mean"]], test["target"].values)
""",
        {"selection-before-split"},
    ),
    "SMOTE on everything": (
        FRAME + "from imblearn.over_sampling import SMOTE\nX, y = SMOTE().fit_resample(X, y)\n" + SPLIT + FIT,
        {"resampled-before-split"},
    ),
    "an up-sampled class": (
        """
from sklearn.utils import resample
df = pd.read_csv("data.csv")
few, many = df[df.target == 1], df[df.target == 0]
few = resample(few, replace=True, n_samples=len(many))
df = pd.concat([many, few])
X, y = df.drop("target", axis=1), df["target"]
"""
        + SPLIT
        + FIT,
        {"resampled-before-split"},
    ),
    "rows repeated with NumPy": (
        "X, y = np.load('x.npy'), np.load('y.npy')\nX = np.repeat(X, 3, axis=0)\ny = np.repeat(y, 3, axis=0)\n"
        + SPLIT
        + FIT,
        {"resampled-before-split"},
    ),
    "validated by the training rows": (
        FRAME + NETWORK + "model.fit(X, y, validation_data=(X, y))\n",
        {"validation-is-training"},
    ),
    "scored by the training rows only": (
        FRAME + SPLIT + NETWORK + "model.fit(X_train, y_train)\nprint(model.evaluate(X_train, y_train))\n",
        {"validation-is-training"},
    ),
    "trained on everything, scored by a part": (
        FRAME + SPLIT + "model = LogisticRegression().fit(X, y)\nprint(model.score(X_test, y_test))\n",
        {"validation-is-training"},
    ),
    "predictions on the training rows compared with their labels": (
        FRAME
        + "from sklearn.metrics import accuracy_score\nmodel = LogisticRegression()\nmodel.fit(X, y)\n"
        + "print(accuracy_score(y, model.predict(X)))\n",
        {"validation-is-training"},
    ),
    "the same folder twice": (
        """
from keras.preprocessing.image import ImageDataGenerator
data = ImageDataGenerator(rescale=1 / 255)
train = data.flow_from_directory("images", class_mode="binary")
valid = data.flow_from_directory("images", class_mode="binary")
"""
        + NETWORK
        + "model.fit(train, validation_data=valid)\n",
        {"validation-is-training"},
    ),
    "tf.data shuffled anew before it is divided": (
        """
ds = tf.data.Dataset.from_tensor_slices((np.load("x.npy"), np.load("y.npy"))).shuffle(1000)
train, valid = ds.take(800).batch(32), ds.skip(800).batch(32)
"""
        + NETWORK
        + "model.fit(train, validation_data=valid)\n",
        {"reshuffled-split"},
    ),
    "overlapping windows divided at random": (
        """
series = pd.read_csv("prices.csv")["close"].values
X, y = [], []
for i in range(60, len(series)):
    X.append(series[i - 60:i])
    y.append(series[i])
X, y = np.array(X), np.array(y)
"""
        + SPLIT
        + FIT,
        {"time-overlap"},
    ),
    "lags divided at random": (
        'df = pd.read_csv("prices.csv")\ndf["before"] = df["close"].shift(1)\n'
        'X, y = df[["before"]], df["close"]\n' + SPLIT + FIT,
        {"time-overlap"},
    ),
    "windows divided by a drawn order": (
        """
series = np.load("series.npy")
window = np.stack([series[i : i + 20] for i in range(860)])
order = np.random.default_rng(0).permutation(860)
train, test = order[:640], order[640:]
X_train, X_test, y_train, y_test = window[train], window[test], np.load("a.npy"), np.load("b.npy")
"""
        + FIT,
        {"time-overlap"},
    ),
    "drawn rows put below the others": (
        """
rng = np.random.default_rng(0)
X, y = np.load("x.npy"), np.load("y.npy")
more = rng.choice(np.flatnonzero(y == 1), 300)
X, y = np.concatenate([X, X[more]]), np.concatenate([y, y[more]])
order = rng.permutation(len(y))
X, y = X[order], y[order]
"""
        + NETWORK
        + "model.fit(X, y, validation_split=0.25)\n",
        {"resampled-before-split"},
    ),
    "folds numbered by hand": (
        "X, y = np.load('x.npy'), np.load('y.npy')\nfold = np.arange(len(y)) % 3\n"
        + NETWORK
        + """
for k in range(3):
    train, test = fold != k, fold == k
    model.fit(X[train], y[train], validation_data=(X[test], y[test]))
""",
        {"state-shared-across-folds"},
    ),
    "a list of the rare class several times over": (
        'df = pd.read_csv("data.csv")\nrare, rest = df[df["target"] == 1], df[df["target"] == 0]\n'
        "df = pd.concat([rest] + [rare] * 15)\nX, y = df.drop('target', axis=1), df['target']\n" + SPLIT + FIT,
        {"resampled-before-split"},
    ),
    "the rare class appended in a loop": (
        'df = pd.read_csv("data.csv")\nrare = df[df["target"] == 1]\n'
        "for _ in range(4):\n    df = df.append(rare)\nX, y = df.drop('target', axis=1), df['target']\n" + SPLIT + FIT,
        {"resampled-before-split"},
    ),
    "the rare class drawn with replacement": (
        'df = pd.read_csv("data.csv")\nrare, rest = df[df["target"] == 1], df[df["target"] == 0]\n'
        "df = pd.concat([rest, rare.sample(len(rest), replace=True)])\n"
        "X, y = df.drop('target', axis=1), df['target']\n" + SPLIT + FIT,
        {"resampled-before-split"},
    ),
    "drawn rows stacked below the others": (
        "X, y = np.load('x.npy'), np.load('y.npy')\nextra = np.random.choice(np.where(y == 1)[0], 1000)\n"
        "X, y = np.vstack([X, X[extra]]), np.hstack([y, y[extra]])\n" + SPLIT + FIT,
        {"resampled-before-split"},
    ),
    "mirrored images in the same list as the images": (
        """
images, labels = [], []
for name in ["cat", "dog"]:
    for file in glob.glob(name):
        image = cv2.imread(file)
        images.append(image)
        images.append(np.fliplr(image))
        labels.append(name)
X, y = np.array(images), np.array(labels)
"""
        + SPLIT
        + FIT,
        {"resampled-before-split"},
    ),
    "variants by a library in the same list as the images": (
        """
import albumentations as A
vary = A.Compose([A.HorizontalFlip(p=1.0)])
images = []
for file in files:
    image = load(file)
    images.append(image)
    for _ in range(3):
        images.append(vary(image=image)["image"])
X, y = np.array(images), np.load("y.npy")
"""
        + SPLIT
        + FIT,
        {"resampled-before-split"},
    ),
    "slices that overlap": (
        "X, y = np.load('x.npy'), np.load('y.npy')\n"
        "X_train, y_train, X_test, y_test = X[:8000], y[:8000], X[7000:], y[7000:]\n" + FIT,
        {"overlapping-rows"},
    ),
    "scored on the training rows, and the labels are a column of the same array": (
        "data = np.loadtxt('data.csv')\nX, y = data[:, 0:8], data[:, 8]\n"
        + NETWORK
        + "model.fit(X, y)\nprint(model.evaluate(X, y))\n",
        {"validation-is-training"},
    ),
    "a mean of the labels by group, merged back": (
        FRAME
        + "means = X.assign(target=y).groupby('shop')['target'].mean().reset_index()\n"
        + "X = X.merge(means, on='shop')\n"
        + SPLIT
        + FIT,
        {"selection-before-split"},
    ),
    "a series in other steps of time": (
        "s = pd.read_csv('power.csv').resample('h').mean().interpolate()\n"
        "x = StandardScaler().fit_transform(s[['active']].values)\nn = 8000\n"
        "model = LogisticRegression().fit(x[:n], x[:n])\nmodel.score(x[n:], x[n:])\n",
        {"preprocessing-before-split"},
    ),
    "features chosen by a model that was trained on everything": (
        FRAME
        + "from sklearn.feature_selection import SelectFromModel\n"
        + "X = SelectFromModel(LogisticRegression().fit(X, y), prefit=True).transform(X)\n"
        + SPLIT
        + FIT,
        {"selection-before-split"},
    ),
    "the best of several models, by a dictionary of scores": (
        FRAME
        + SPLIT
        + """
scores = {}
for name, model in {"one": LogisticRegression(), "other": LogisticRegression(C=9)}.items():
    model.fit(X_train, y_train)
    scores[name] = model.score(X_test, y_test)
print(max(scores, key=scores.get))
""",
        {"test-set-reused"},
    ),
    "the best number of neighbours, by an array of scores": (
        FRAME
        + SPLIT
        + """
from sklearn.metrics import accuracy_score
found = np.zeros(39)
for k in range(1, 40):
    model = LogisticRegression(C=k).fit(X_train, y_train)
    found[k - 1] = accuracy_score(y_test, model.predict(X_test))
print(found.max(), found.argmax())
""",
        {"test-set-reused"},
    ),
    "the best rate, kept in a loop": (
        FRAME
        + SPLIT
        + """
best = 0
for rate in rates:
    model = Sequential([Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    model.fit(X_train, y_train)
    _, accuracy = model.evaluate(X_test, y_test)
    if accuracy > best:
        best = accuracy
""",
        {"test-set-reused"},
    ),
    "the test rows also stop the training": (
        FRAME
        + SPLIT
        + NETWORK
        + "from keras.callbacks import EarlyStopping\n"
        + "model.fit(X_train, y_train, validation_data=(X_test, y_test), callbacks=[EarlyStopping(patience=3)])\n"
        + "print(model.evaluate(X_test, y_test))\n",
        {"test-set-reused"},
    ),
    "one model for all folds": (
        FRAME
        + NETWORK
        + """
for train, test in KFold(5).split(X):
    model.fit(X.iloc[train], y.iloc[train])
    print(model.evaluate(X.iloc[test], y.iloc[test]))
""",
        {"state-shared-across-folds"},
    ),
    "the target left among the features": (
        'df = pd.read_csv("data.csv")\ny = df["target"]\nX = df.drop("id", axis=1)\n' + SPLIT + FIT,
        {"target-in-features"},
    ),
    "a label of tomorrow whose parts stay among the features": (
        SERIES
        + "df['next'] = df['Close'].shift(-1) / df['Close'] - 1\ndf['up'] = (df['next'] > 0).astype(int)\n"
        + "X, y = df.drop(columns=['up', 'Date']), df['up']\n"
        + BY_TIME
        + FIT,
        {"look-ahead-window"},
    ),
    "a centred mean and the next value within a group": (
        SERIES
        + "df['mean'] = df['Close'].rolling(5, center=True).mean()\n"
        + "df['next'] = df.groupby('share')['Close'].shift(periods=-2)\n"
        + "X, y = df[['mean', 'next']], df['Volume']\n"
        + BY_TIME
        + FIT,
        {"look-ahead-window"},
    ),
    "a scaler fitted again on the test rows": (
        FRAME
        + SPLIT
        + "scaler = StandardScaler()\nX_train = scaler.fit_transform(X_train)\nX_test = scaler.fit_transform(X_test)\n"
        + FIT,
        {"inference-preprocessing-differs"},
    ),
}

LEGAL = {
    "columns that go with one another are dropped": (
        FRAME
        + "corr = X.corr().abs()\nupper = corr.where(np.triu(np.ones(corr.shape), k=1).astype(bool))\n"
        + "twins = [name for name in upper.columns if any(upper[name] > 0.95)]\nX = X.drop(columns=twins)\n"
        + SPLIT
        + FIT
    ),
    "labels made from a column that is dropped": "df = pd.read_csv('a.csv')\n"
    + "df['high'] = (df['price'] > 140).astype(int)\nX, y = df.drop(columns=['high', 'price']), df['high']\n"
    + SPLIT
    + FIT,
    "a column written over by its own codes": "df = pd.read_csv('a.csv')\n"
    + "df['label'] = df['label'].map({'M': 1, 'B': 0})\ndf['old'] = df['age'] > 60\n"
    + "X, y = df.drop(columns=['label']), df['label']\n"
    + SPLIT
    + FIT,
    "windows of a frame that hold the past of what is forecast": SERIES
    + "X, y = [], []\nfor i in range(len(df) - 30):\n    X.append(df[i:i + 30])\n    y.append(df['Close'][i + 30])\n"
    + "X, y = np.array(X), np.array(y)\nmodel = Sequential([Dense(8), Dense(1)])\nmodel.compile('adam', 'mse')\n"
    + "model.fit(X[:800], y[:800])\nmodel.evaluate(X[830:], y[830:])\n",
    "the last column of a scaled frame as the target": SERIES
    + "train, test = df[:800], df[800:]\nscaler = MinMaxScaler().fit(train)\n"
    + "a, b = scaler.transform(train), scaler.transform(test)\n"
    + "model = LogisticRegression().fit(a[:, :-1], a[:, -1])\nmodel.score(b[:, :-1], b[:, -1])\n",
    "the value of tomorrow as the label, dropped from the features": SERIES
    + "df['before'] = df['Close'].shift(1)\ndf['mean'] = df['Close'].rolling(5).mean()\n"
    + "df['next'] = df['Close'].shift(-1)\ndf['up'] = (df['next'] > df['Close']).astype(int)\n"
    + "X, y = df.drop(columns=['next', 'up']), df['up']\n"
    + BY_TIME
    + FIT,
    "several values of the future as labels, features named or all but the last": SERIES
    + "for h in (1, 2):\n    df[f'y{h}'] = df['Close'].shift(-h)\n"
    + "X, y = df[['Close', 'Volume']].values, df[['y1', 'y2']].values\n"
    + BY_TIME
    + FIT
    + "X, y = df.iloc[:, :-1].values, df.iloc[:, -1].values\n"
    + BY_TIME
    + FIT,
    "all columns but the labels, by going through the frame": 'df = pd.read_csv("data.csv")\n'
    "train, test = train_test_split(df)\nnames = [c for c in df if c != 'target']\n"
    "model = LogisticRegression().fit(train[names], train['target'])\nmodel.score(test[names], test['target'])\n",
    "parts of a series by start and end": """
series = np.load("series.npy")
make = keras.utils.timeseries_dataset_from_array
train = make(series, series[9:], sequence_length=9, end_index=800)
valid = make(series, series[9:], sequence_length=9, start_index=800)
"""
    + NETWORK
    + "model.fit(train, validation_data=valid)\n",
    "rows that a bootstrap left out": 'df = pd.read_csv("data.csv")\nfrom sklearn.utils import resample\n'
    "train = resample(df, n_samples=len(df))\ntest = df[~df.index.isin(train.index)]\n"
    "model = LogisticRegression().fit(train[['a']], train['target'])\nmodel.score(test[['a']], test['target'])\n",
    "mirrored copies of the training rows, and mirrored test rows": FRAME
    + SPLIT
    + "X_train = np.concatenate([X_train, np.flip(X_train, axis=1)])\n"
    + "y_train = np.concatenate([y_train, y_train])\n"
    + FIT
    + "model.predict(np.flip(X_test, axis=1))\n",
    "a test series that begins with the end of the training series": """
series = MinMaxScaler().fit(np.load("s.npy")[:1000]).transform(np.load("s.npy"))
def windows(part):
    return np.array([part[i - 60:i] for i in range(60, len(part))]), part[60:]
X_train, y_train = windows(series[:1000])
X_test, y_test = windows(series[940:])
"""
    + FIT,
    "the best of several by validation rows, scored on test rows": FRAME
    + SPLIT
    + """
X_train, X_dev, y_train, y_dev = train_test_split(X_train, y_train)
best = 0
for c in [0.1, 1, 10]:
    model = LogisticRegression(C=c).fit(X_train, y_train)
    if model.score(X_dev, y_dev) > best:
        best, kept = model.score(X_dev, y_dev), model
print(kept.score(X_test, y_test))
""",
    "the same study on many divisions": FRAME
    + """
scores = []
for seed in range(20):
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    scores.append(LogisticRegression().fit(X_train, y_train).score(X_test, y_test))
print(np.mean(scores), max(scores))
""",
    "several models whose scores are only shown": FRAME
    + SPLIT
    + "for model in (LogisticRegression(), LogisticRegression(C=9)):\n"
    + "    print(model.fit(X_train, y_train).score(X_test, y_test))\n",
    "nothing but a split": TRAINED,
    "fit on train, transform both": FRAME
    + SPLIT
    + "scaler = StandardScaler()\nX_train = scaler.fit_transform(X_train)\nX_test = scaler.transform(X_test)\n"
    + FIT,
    "the same in a function": FRAME
    + SPLIT
    + """
def scale(train, test):
    scaler = StandardScaler().fit(train)
    return scaler.transform(train), scaler.transform(test)
X_train, X_test = scale(X_train, X_test)
"""
    + FIT,
    "a pipeline in cross-validation": FRAME
    + """
from sklearn.pipeline import make_pipeline, Pipeline
print(cross_val_score(make_pipeline(StandardScaler(), LogisticRegression()), X, y, cv=5))
pipe = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())])
"""
    + SPLIT
    + "pipe.fit(X_train, y_train)\nprint(pipe.score(X_test, y_test))\n",
    "a column transformer in a pipeline": FRAME
    + """
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
prepare = ColumnTransformer([("n", SimpleImputer(), ["a"]), ("s", StandardScaler(), ["b"])])
model = Pipeline([("prepare", prepare), ("model", LogisticRegression())])
"""
    + SPLIT
    + "model.fit(X_train, y_train)\nprint(model.score(X_test, y_test))\n",
    "folds with everything inside": FRAME
    + """
for train, test in KFold(5).split(X):
    scaler = StandardScaler().fit(X.iloc[train])
    model = Sequential([Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy")
    model.fit(scaler.transform(X.iloc[train]), y.iloc[train])
    print(model.evaluate(scaler.transform(X.iloc[test]), y.iloc[test]))
""",
    "a model made anew by a function for each fold": FRAME
    + """
def build():
    model = Sequential([Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy")
    return model
for train, test in KFold(5).split(X):
    model = build()
    model.fit(X.iloc[train], y.iloc[train])
    print(model.evaluate(X.iloc[test], y.iloc[test]))
""",
    "weights set back for each fold": FRAME
    + NETWORK
    + """
first = model.get_weights()
for train, test in KFold(5).split(X):
    model.set_weights(first)
    model.fit(X.iloc[train], y.iloc[train])
    print(model.evaluate(X.iloc[test], y.iloc[test]))
""",
    "a scikit-learn model in folds": FRAME
    + """
model = LogisticRegression()
for train, test in KFold(5).split(X):
    model.fit(X.iloc[train], y.iloc[train])
    print(model.score(X.iloc[test], y.iloc[test]))
""",
    "names of classes encoded": FRAME + "y = LabelEncoder().fit_transform(y)\n" + SPLIT + FIT,
    "pixels divided by 255": "(X_train, y_train), (X_test, y_test) = keras.datasets.mnist.load_data()\n"
    "X_train, X_test = X_train / 255.0, X_test / 255.0\n" + FIT,
    "statistics of the training rows for both": FRAME
    + SPLIT
    + "mean, std = X_train.mean(axis=0), X_train.std(axis=0)\n"
    + "X_train = (X_train - mean) / std\nX_test = (X_test - mean) / std\n"
    + FIT,
    "rows normalised one by one": FRAME
    + "X = X.values\nX = X / X.sum(axis=1, keepdims=True)\nX = X - X.mean(axis=1, keepdims=True)\n"
    + SPLIT
    + FIT,
    "SMOTE on the training rows": FRAME
    + SPLIT
    + "from imblearn.over_sampling import SMOTE\nX_train, y_train = SMOTE().fit_resample(X_train, y_train)\n"
    + FIT,
    "rows left out before the split": FRAME
    + "from imblearn.under_sampling import RandomUnderSampler\nX, y = RandomUnderSampler().fit_resample(X, y)\n"
    + SPLIT
    + FIT,
    "gaps filled with a stated value by an imputer": FRAME
    + "from sklearn.impute import SimpleImputer\n"
    + "X = SimpleImputer(strategy='constant', fill_value=0).fit_transform(X)\n"
    + SPLIT
    + FIT,
    "gaps filled with a constant": FRAME + 'X["age"] = X["age"].fillna(0)\n' + SPLIT + FIT,
    "a scaled column that is not used": """
df = pd.read_csv("data.csv")
df["fare"] = StandardScaler().fit_transform(df[["fare"]])
X, y = df[["age", "sex"]], df["target"]
"""
    + SPLIT
    + FIT,
    "test rows beside training rows in the score": FRAME
    + SPLIT
    + NETWORK
    + "model.fit(X_train, y_train)\nprint(model.evaluate(X_train, y_train), model.evaluate(X_test, y_test))\n",
    "predictions on training rows that are not scored": FRAME
    + NETWORK
    + "model.fit(X, y)\nfeatures = model.predict(X)\nnp.save('features.npy', features)\n",
    "the whole series scaled by its training part": """
series = pd.read_csv("prices.csv")[["close"]].values
n = int(len(series) * 0.8)
scaler = MinMaxScaler().fit(series[:n])
train, test = scaler.transform(series[:n]), scaler.transform(series[n:])
"""
    + NETWORK
    + "model.fit(train, train)\nprint(model.evaluate(test, test))\n",
    "windows divided by time": """
series = pd.read_csv("prices.csv")["close"].values
X, y = [], []
for i in range(60, len(series)):
    X.append(series[i - 60:i])
    y.append(series[i])
X, y = np.array(X), np.array(y)
X_train, X_test, y_train, y_test = train_test_split(X, y, shuffle=False)
"""
    + FIT,
    "a folder with subsets": """
from keras.preprocessing.image import ImageDataGenerator
data = ImageDataGenerator(rescale=1 / 255, validation_split=0.2)
train = data.flow_from_directory("images", subset="training", class_mode="binary")
valid = data.flow_from_directory("images", subset="validation", class_mode="binary")
"""
    + NETWORK
    + "model.fit(train, validation_data=valid)\n",
    "two folders": """
from keras.preprocessing.image import ImageDataGenerator
data = ImageDataGenerator(rescale=1 / 255)
train = data.flow_from_directory("images/train", class_mode="binary")
valid = data.flow_from_directory("images/valid", class_mode="binary")
"""
    + NETWORK
    + "model.fit(train, validation_data=valid)\n",
    "tf.data shuffled once": """
ds = tf.data.Dataset.from_tensor_slices((np.load("x.npy"), np.load("y.npy")))
ds = ds.shuffle(1000, reshuffle_each_iteration=False)
train, valid = ds.take(800).batch(32), ds.skip(800).batch(32)
"""
    + NETWORK
    + "model.fit(train, validation_data=valid)\n",
    "tf.data of a table shuffled once": """
df = pd.read_csv("a.csv")
ds = tf.data.Dataset.from_tensor_slices((df.drop(columns="y").values, df["y"].values))
ds = ds.shuffle(1000, reshuffle_each_iteration=False)
train, valid = ds.take(800).batch(32), ds.skip(800).batch(32)
"""
    + NETWORK
    + "model.fit(train, validation_data=valid)\n",
    "tf.data divided before it is shuffled": """
ds = tf.data.Dataset.from_tensor_slices((np.load("x.npy"), np.load("y.npy")))
train, valid = ds.take(800).shuffle(1000).batch(32), ds.skip(800).batch(32)
"""
    + NETWORK
    + "model.fit(train, validation_data=valid)\n",
    "one part stops, another one reports": FRAME
    + SPLIT
    + "X_train, X_valid, y_train, y_valid = train_test_split(X_train, y_train)\n"
    + NETWORK
    + "from keras.callbacks import EarlyStopping\n"
    + "model.fit(X_train, y_train, validation_data=(X_valid, y_valid), callbacks=[EarlyStopping(patience=3)])\n"
    + "print(model.evaluate(X_test, y_test))\n",
    "test rows watched but not chosen by": FRAME
    + SPLIT
    + NETWORK
    + "model.fit(X_train, y_train, validation_data=(X_test, y_test))\nprint(model.evaluate(X_test, y_test))\n",
    "a search on training rows, a test on others": FRAME
    + SPLIT
    + "from sklearn.model_selection import GridSearchCV\n"
    + "X_train = StandardScaler().fit_transform(X_train)\n"
    + "search = GridSearchCV(LogisticRegression(), {'C': [1, 10]})\nsearch.fit(X_train, y_train)\n",
    "tables of two calls of an unknown loader": "from mine import load\n"
    "X_train, y_train = load('train')\nX_test, y_test = load('test')\n" + FIT,
    "arrays of one archive": "data = np.load('all.npz')\n"
    "X_train, y_train, X_test, y_test = data['a'], data['b'], data['c'], data['d']\n" + FIT,
    "the frame without its target popped": 'df = pd.read_csv("data.csv")\ny = df.pop("target")\nX = df\n' + SPLIT + FIT,
    "a second scaler for the labels": FRAME
    + SPLIT
    + "a, b = StandardScaler(), StandardScaler()\nX_train = a.fit_transform(X_train)\nX_test = a.transform(X_test)\n"
    + "y_train = b.fit_transform(y_train)\ny_test = b.transform(y_test)\n"
    + FIT.replace(', activation="sigmoid"', "").replace("binary_crossentropy", "mse"),
    "a sample and the rest": 'df = pd.read_csv("data.csv")\n'
    "train = df.sample(frac=0.8, random_state=0)\ntest = df.drop(train.index)\n"
    "X_train, y_train = train[['a', 'b']], train['target']\nX_test, y_test = test[['a', 'b']], test['target']\n" + FIT,
    "a random mask": 'df = pd.read_csv("data.csv")\nmask = np.random.rand(len(df)) < 0.8\n'
    "train, test = df[mask], df[~mask]\n"
    "X_train, y_train = train[['a', 'b']], train['target']\nX_test, y_test = test[['a', 'b']], test['target']\n" + FIT,
    "indices divided": FRAME
    + "train, test = train_test_split(np.arange(len(X)))\n"
    + "X_train, X_test, y_train, y_test = X.iloc[train], X.iloc[test], y.iloc[train], y.iloc[test]\n"
    + FIT,
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_in_the_source_is_found_and_nothing_else(name: str, tmp_path: Path) -> None:
    code, expected = LEAKS[name]
    assert rules(code, tmp_path) == expected


@pytest.mark.parametrize("name", LEGAL)
def test_a_legal_program_is_not_accused(name: str, tmp_path: Path) -> None:
    assert rules(LEGAL[name], tmp_path) == set()


def test_a_leak_shows_its_flow_from_loading_to_scoring(tmp_path: Path) -> None:
    code, _ = LEAKS["a scaler fitted on everything"]
    (found,) = findings(code, tmp_path)
    assert [step.text for step in found.flow] == [
        "read_csv",
        "StandardScaler.fit_transform",
        "train_test_split",
        "fit",
        "evaluate",
    ]
    assert found.location is not None and found.location.line == 16
    assert [spot.line for spot in found.related] == [17]


def test_a_leak_is_likely_and_never_an_error_without_a_trial(tmp_path: Path) -> None:
    code, _ = LEAKS["selection with the labels"]
    (found,) = findings(code, tmp_path)
    assert (found.severity, found.confidence) == ("warning", "likely")


def test_a_call_that_leaks_into_two_models_is_one_finding_with_both_in_its_flow(tmp_path: Path) -> None:
    code, _ = LEAKS["a scaler fitted on everything"]
    (found,) = findings(
        code + "other = LogisticRegression().fit(X_train, y_train)\nother.score(X_test, y_test)", tmp_path
    )
    assert [step.text for step in found.flow][-4:] == ["fit", "evaluate", "fit", "score"]
