"""Sources that look alike: each fault beside the program that a careless reader would take for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .reader import rules

DATA = """
from sklearn.utils import shuffle
from keras.layers import BatchNormalization, Conv2D, Flatten, LSTM, MaxPooling2D
X, y = np.load("x.npy"), np.load("y.npy")
"""
FIT = "model.fit(X, y, epochs=5, validation_split=0.2)\n"
LOGITS = "keras.losses.BinaryCrossentropy(from_logits=True)"


def binary(
    head: str = 'Dense(1, activation="sigmoid")', loss: str = '"binary_crossentropy"', more: str = "", adam: str = ""
) -> str:
    optimizer = adam or '"adam"'
    return f'model = Sequential([Dense(16, activation="relu"), {head}])\nmodel.compile({optimizer}, {loss}{more})\n'


def classes(head: str = 'Dense(3, activation="softmax")', loss: str = "sparse_categorical_crossentropy") -> str:
    return f'model = Sequential([Dense(16, activation="relu"), {head}])\nmodel.compile("adam", "{loss}")\n'


def regression(head: str = "Dense(1)", metrics: str = "") -> str:
    network = f'model = Sequential([Dense(16, activation="relu"), {head}])\n'
    return network + f'model.compile("adam", "mse", metrics=[{metrics}])\n'


def own_class(body: str, init: str = "") -> str:
    return f"""
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = Dense(8), Dense(1){init}
{body}
model = Net()
model.compile("adam", "mse")
"""


def own_loss(signature: str, *body: str) -> str:
    lines = "\n    ".join(body)
    return f"def own({signature}):\n    {lines}\n" + binary(loss="own") + FIT


def scheduled(schedule: str) -> str:
    return binary(adam=f"keras.optimizers.Adam(keras.optimizers.schedules.{schedule})") + FIT


def stopping(monitor: str, mode: str) -> str:
    return binary() + FIT.replace("epochs=5", f"callbacks=[keras.callbacks.EarlyStopping('{monitor}', mode='{mode}')]")


STEP = """
    def call(self, x, training=None):
        return self.out(self.drop(self.hidden(x), training=training))
    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x{}))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        return {{"loss": loss}}
"""
TEXTS = """
from keras.layers import TextVectorization
vectors = TextVectorization()
texts, new = np.load("texts.npy"), np.load("new.npy")
"""
BACKBONE = """
from keras.applications import ResNet50
from keras.applications.{} import preprocess_input
base = ResNet50(include_top=False, weights="imagenet", pooling="avg")
base.trainable = False
model = Sequential([base, Dense(3, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(preprocess_input(X), y)
"""
FUNCTIONAL = """
inputs = keras.Input((8,))
hidden = Dense(16, activation="relu")(inputs)
narrow = Dense(2)(hidden)
model = Model(inputs, Dense(1, activation="sigmoid")({}))
{}
model.compile("adam", "binary_crossentropy")
"""
TRANSLATION = """
from keras.layers import Attention, Concatenate
source, target = keras.Input((None, 50)), keras.Input((None, 60))
encoded, state, cell = LSTM(32, return_sequences=True, return_state=True)(source)
start = Dense(32)(state)
decoded, _, _ = LSTM(32, return_sequences=True, return_state=True)(target, initial_state=[start, cell])
output = Dense(60, activation="softmax")(Concatenate()([decoded, Attention()([decoded, encoded])]))
model = Model([source, target], output)
model.compile("adam", "categorical_crossentropy")
model.fit([X, np.load("target.npy")], y)
"""
BRANCHES = """
def build(deep, rate=0.2):
    inputs = keras.Input((20,))
    x = Dense(32, activation="relu")(inputs)
    if deep:
        x = Dense(32, activation="relu")(x)
    else:
        x = Dense(32)(x)
    aside = Dense(32)(inputs)
    for units in [32, 32]:
        before = x
        x = Dense(units, activation="relu")(x)
        x = x + before
    print(Dense(4)(x).shape)
    return Model(inputs, Dense(1)(layers.concatenate([x * aside, before])))
model = build(len(X) > 100)
model.compile("adam", "mse")
"""
NUMBERS = "from sklearn.datasets import load_diabetes\nX, y = load_diabetes(return_X_y=True)\n"
STANDARDISED = "y = StandardScaler().fit_transform(y.reshape(-1, 1))\n"
WINDOWS = """
series = pd.read_csv("series.csv")["value"].values
X, y = [], []
for i in range(0, len(series) - 20, {}):
    X.append(series[i:i + 20])
    y.append(series[i + 20])
X, y = np.array(X), np.array(y)
"""
STEPS = """
model = Sequential([LSTM(16{}), Dense(1)])
model.compile("adam", "mse")
"""
STEPWISE = "sequence-output-for-single-target"
F1 = """
def f1_score(y_true, y_pred):
    hits = keras.ops.sum(y_true * y_pred)
    return 2 * hits / (keras.ops.sum(y_true) + keras.ops.sum(y_pred))
"""
DIGITS = """
(X, y), _ = keras.datasets.mnist.load_data()
model = Sequential([Conv2D(16, 3), MaxPooling2D(), {} Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(X[..., None] / 255.0, y)
"""
TAGS = """
from sklearn.preprocessing import MultiLabelBinarizer
y = MultiLabelBinarizer().fit_transform(pd.read_csv("tags.csv")["tags"].str.split(","))
"""
PREDICTED = "predicted = np.argmax(model.predict(X), axis=1)\n"
TWO_SPLITS = """
X, X_val = train_test_split(X, random_state={})
y, y_val = train_test_split(y, random_state={})
"""

CASES = {
    "two shuffles": ("np.random.shuffle(X)\nnp.random.shuffle(y)\n" + binary() + FIT, "unpaired-shuffles"),
    "a shuffle of the labels": ("np.random.shuffle(y)\n" + binary() + FIT, "unpaired-shuffles"),
    "a shuffle of the labels before the split": (
        "np.random.default_rng(0).shuffle(y)\nX, X_val, y, y_val = train_test_split(X, y)\n" + binary() + FIT,
        "unpaired-shuffles",
    ),
    "inputs made for shuffled labels": ("np.random.shuffle(y)\nX = np.load('c.npy')[y]\n" + binary() + FIT, ""),
    "rows of a shuffled list": (
        "files = glob('*.npy')\nnp.random.shuffle(files)\nX = np.array([np.load(f) for f in files])\n"
        "y = np.array([f[0] == 'a' for f in files])\n" + binary() + FIT,
        "",
    ),
    "two shuffles of one generator": (
        "keras.utils.set_random_seed(1)\nrng = np.random.default_rng(0)\nrng.shuffle(X)\nrng.shuffle(y)\n"
        + binary()
        + FIT,
        "unpaired-shuffles",
    ),
    "two shuffles from the same seed": (
        "np.random.seed(0)\nnp.random.shuffle(X)\nnp.random.seed(0)\nnp.random.shuffle(y)\n" + binary() + FIT,
        "",
    ),
    "two shuffles from the same state": (
        "state = np.random.get_state()\nnp.random.shuffle(X)\nnp.random.set_state(state)\nnp.random.shuffle(y)\n"
        + binary()
        + FIT,
        "",
    ),
    "two generators of one seed": (
        "a, b = np.random.default_rng(0), np.random.default_rng(0)\na.shuffle(X)\nb.shuffle(y)\n" + binary() + FIT,
        "",
    ),
    "scikit-learn's shuffle of each": ("X = shuffle(X)\ny = shuffle(y)\n" + binary() + FIT, "unpaired-shuffles"),
    "scikit-learn's shuffle of each with one seed": (
        "X = shuffle(X, random_state=0)\ny = shuffle(y, random_state=0)\n" + binary() + FIT,
        "",
    ),
    "scikit-learn's shuffle of each with two seeds": (
        "X = shuffle(X, random_state=0)\ny = shuffle(y, random_state=1)\n" + binary() + FIT,
        "unpaired-shuffles",
    ),
    "scikit-learn's shuffle of both": ("X, y = shuffle(X, y)\n" + binary() + FIT, ""),
    "one permutation": ("order = np.random.permutation(len(X))\nX, y = X[order], y[order]\n" + binary() + FIT, ""),
    "two permutations": (
        "X = X[np.random.permutation(len(X))]\ny = y[np.random.permutation(len(y))]\n" + binary() + FIT,
        "unpaired-shuffles",
    ),
    "row numbers that were shuffled": (
        "order = np.arange(len(X))\nnp.random.shuffle(order)\nX = X[order]\ny = y[order]\n" + binary() + FIT,
        "",
    ),
    "a frame that was shuffled": (
        'df = pd.read_csv("a.csv").sample(frac=1)\nX, y = df.drop(columns="t").values, df["t"].values\n'
        + binary()
        + FIT,
        "",
    ),
    "two parts of a frame, each shuffled": (
        'df = pd.read_csv("a.csv")\nX, y = df.drop(columns="t").sample(frac=1), df["t"].sample(frac=1)\n'
        + binary()
        + FIT,
        "unpaired-shuffles",
    ),
    "two splits with two seeds": (TWO_SPLITS.format(1, 2) + binary() + FIT, "misaligned-labels"),
    "two splits with one seed": (TWO_SPLITS.format(1, 1) + binary() + FIT, ""),
    "two splits with a seed by name": ("SEED = 4\n" + TWO_SPLITS.format("SEED", "SEED") + binary() + FIT, ""),
    "a split of a split": (
        "X, X_test, y, y_test = train_test_split(X, y)\nX, X_val, y, y_val = train_test_split(X, y)\n"
        + binary()
        + "model.fit(X, y, validation_data=(X_val, y_val))\nprint(model.evaluate(X_test, y_test))\n",
        "",
    ),
    "zeros, then ones": (
        "y = np.concatenate([np.zeros(500), np.ones(500)])\n" + binary() + FIT,
        "ordered-validation-split",
    ),
    "a list of zeros, then ones": (
        "y = np.array([0] * 500 + [1] * 500)\n" + binary() + FIT,
        "ordered-validation-split",
    ),
    "three classes, one after the other": (
        "y = np.hstack((np.zeros(500), np.ones(500), np.full(300, 2)))\n" + classes() + FIT,
        "ordered-validation-split",
    ),
    "zeros, then ones, shuffled": (
        "y = np.concatenate([np.zeros(500), np.ones(500)])\nX, y = shuffle(X, y)\n" + binary() + FIT,
        "",
    ),
    "zeros, then ones, in another order": (
        "y = np.concatenate([np.zeros(500), np.ones(500)])\norder = np.random.permutation(len(y))\n"
        + "X, y = X[order], y[order]\n"
        + binary()
        + FIT,
        "",
    ),
    "zeros, then ones, split at random": (
        "y = np.concatenate([np.zeros(500), np.ones(500)])\nX, X_test, y, y_test = train_test_split(X, y)\n"
        + binary()
        + FIT,
        "",
    ),
    "iris as it comes": (
        "from sklearn.datasets import load_iris\nX, y = load_iris(return_X_y=True)\n" + classes() + FIT,
        "ordered-validation-split",
    ),
    "breast cancer as it comes": (
        "from sklearn.datasets import load_breast_cancer\nX, y = load_breast_cancer(return_X_y=True)\n"
        + binary()
        + FIT,
        "",
    ),
    "dropout of probabilities": (
        binary('Dense(1, activation="sigmoid"), Dropout(0.5)') + FIT,
        "layer-after-output-activation",
    ),
    "normalised probabilities": (
        classes('Dense(3, activation="softmax"), BatchNormalization()') + FIT,
        "layer-after-output-activation",
    ),
    "dropout before the output": (classes('Dropout(0.3), Dense(3), Activation("softmax")') + FIT, ""),
    "batch normalisation row by row": (
        binary('BatchNormalization(), Dense(1, activation="sigmoid")') + FIT.replace("epochs=5", "batch_size=1"),
        "batchnorm-tiny-batch",
    ),
    "batch normalisation of batches": (
        binary('BatchNormalization(), Dense(1, activation="sigmoid")') + FIT.replace("epochs=5", "batch_size=32"),
        "",
    ),
    "row by row without normalisation": (binary() + FIT.replace("epochs=5", "batch_size=1"), ""),
    "batch normalisation of images one by one": (
        "model = Sequential([Conv2D(4, 3), BatchNormalization(), Flatten(), Dense(3, activation='softmax')])\n"
        + "model.compile('adam', 'sparse_categorical_crossentropy')\n"
        + FIT.replace("epochs=5", "batch_size=1"),
        "",
    ),
    "a layer made where it is called": (
        own_class("    def call(self, x):\n        return Dense(1)(self.hidden(x))\n") + FIT,
        "layer-built-in-call",
    ),
    "a layer made in call and called by name": (
        own_class("    def call(self, x):\n        last = layers.Dense(1)\n        return last(x)\n") + FIT,
        "layer-built-in-call",
    ),
    "layers made once": (own_class("    def call(self, x):\n        return self.out(self.hidden(x))\n") + FIT, ""),
    "argmax over one output": (binary() + FIT + PREDICTED, "wrong-decision-rule"),
    "argmax over one output as a method": (
        binary() + FIT + "predicted = model.predict(X)\npredicted = predicted.argmax(axis=-1)\n",
        "wrong-decision-rule",
    ),
    "argmax over three outputs": (classes() + FIT + PREDICTED, ""),
    "one half for probabilities": (binary() + FIT + "predicted = (model.predict(X) > 0.5).astype(int)\n", ""),
    "one half for logits": (
        binary("Dense(1)", LOGITS) + FIT + "predicted = (model.predict(X) > 0.5).astype(int)\n",
        "wrong-decision-rule",
    ),
    "zero for logits": (binary("Dense(1)", LOGITS) + FIT + "predicted = (model.predict(X) > 0).astype(int)\n", ""),
    "accuracy of logits": (binary("Dense(1)", LOGITS, ', metrics=["accuracy"]') + FIT, "accuracy-on-logits"),
    "accuracy of logits above zero": (
        binary("Dense(1)", LOGITS, ", metrics=[keras.metrics.BinaryAccuracy(threshold=0)]") + FIT,
        "",
    ),
    "a loss of the labels alone": (
        own_loss("y_true, y_pred", "return keras.ops.mean(keras.ops.square(y_true - y_true))"),
        "loss-ignores-predictions",
    ),
    "a loss that counts": (
        own_loss(
            "y_true, y_pred",
            "hits = keras.ops.equal(y_true, keras.ops.round(y_pred))",
            "return 1 - keras.ops.mean(keras.ops.cast(hits, 'float32'))",
        ),
        "loss-ignores-predictions",
    ),
    "a loss with a weight for a class": (
        own_loss(
            "y_true, y_pred",
            "weight = keras.ops.where(keras.ops.equal(y_true, 1), 2.0, 1.0)",
            "return keras.ops.mean(weight * keras.ops.square(y_true - y_pred))",
        ),
        "",
    ),
    "a loss with a corner": (
        own_loss("y_true, y_pred", "error = y_true - y_pred", "return keras.ops.where(error > 0, error, -0.1 * error)"),
        "",
    ),
    "predictions in the place of labels": (
        own_loss("y_true, y_pred", "return keras.losses.binary_crossentropy(y_pred, y_true)"),
        "swapped-loss-arguments",
    ),
    "labels in the place of predictions": (
        own_loss("y_pred, y_true", "return keras.losses.binary_crossentropy(y_true, y_pred)"),
        "swapped-loss-arguments",
    ),
    "a symmetric loss the other way round": (
        own_loss("y_true, y_pred", "return keras.losses.mean_squared_error(y_pred, y_true)"),
        "",
    ),
    "softmax over tags": (TAGS + classes(loss="categorical_crossentropy") + FIT, "softmax-for-multilabel"),
    "sigmoids over tags": (TAGS + binary('Dense(5, activation="sigmoid")') + FIT, ""),
    "weights in half precision": ("keras.config.set_floatx('float16')\n" + binary() + FIT, "half-precision-weights"),
    "mixed precision": ("keras.mixed_precision.set_global_policy('mixed_float16')\n" + binary() + FIT, ""),
    "a state carried into shuffled rows": (
        "model = Sequential([LSTM(8, stateful=True), Dense(1)])\nmodel.compile('adam', 'mse')\n" + FIT,
        "stateful-without-reset",
    ),
    "a state carried along a series": (
        "model = Sequential([LSTM(8, stateful=True), Dense(1)])\nmodel.compile('adam', 'mse')\n"
        + "for _ in range(5):\n    model.fit(X, y, epochs=1, shuffle=False)\n    model.reset_states()\n",
        "",
    ),
    "a rate that is halved each batch": (
        scheduled("ExponentialDecay(1e-3, decay_steps=1, decay_rate=0.5)"),
        "schedule-kills-learning",
    ),
    "a cosine over as many batches as epochs": (scheduled("CosineDecay(1e-3, 20)"), "schedule-kills-learning"),
    "a slow decay": (scheduled("ExponentialDecay(1e-3, decay_steps=10, decay_rate=0.99)"), ""),
    "a cosine over all batches": (scheduled("CosineDecay(1e-3, 20000)"), ""),
    "a vocabulary learnt twice": (
        TEXTS
        + "vectors.adapt(texts)\nX = vectors(texts)\n"
        + binary()
        + FIT
        + "vectors.adapt(new)\nprint(model.evaluate(vectors(new), y))\n",
        "vocabulary-refit",
    ),
    "a vocabulary learnt once": (
        TEXTS
        + "vectors.adapt(texts)\nX = vectors(texts)\n"
        + binary()
        + FIT
        + "print(model.evaluate(vectors(new), y))\n",
        "",
    ),
    "a private copy of Keras": (
        "from tensorflow.python.keras.layers import Dense\n" + binary() + FIT,
        "two-keras-copies",
    ),
    "Keras through TensorFlow": ("from tensorflow.keras.layers import Dense\n" + binary() + FIT, ""),
    "a foreign variable": (
        own_class(
            "    def call(self, x):\n        return self.out(x) * self.scale\n", "; self.scale = tf.Variable(1.0)"
        ).replace("; self", "\n        self")
        + FIT,
        "two-keras-copies",
    ),
    "a loss that should rise": (stopping("val_loss", "max"), "stopped-in-warm-up"),
    "an accuracy that should rise": (stopping("val_accuracy", "max"), ""),
    "a step as in inference": (
        own_class(STEP.format(""), "\n        self.drop = Dropout(0.3)") + FIT,
        "incomplete-custom-loop",
    ),
    "a step as in training": (
        own_class(STEP.format(", training=True"), "\n        self.drop = Dropout(0.3)") + FIT,
        "",
    ),
    "images for another network": (BACKBONE.format("mobilenet_v2"), "wrong-backbone-preprocessing"),
    "images for this network": (BACKBONE.format("resnet50"), ""),
    "images for a network of the same family": (BACKBONE.format("vgg16"), ""),
    "a layer that leads nowhere": (FUNCTIONAL.format("hidden", "") + FIT, "disconnected-branch"),
    "a layer that another model ends in": (
        FUNCTIONAL.format("hidden", "encoder = Model(inputs, narrow)") + FIT,
        "",
    ),
    "a layer in the middle": (FUNCTIONAL.format("narrow", "") + FIT, ""),
    "a state that another layer begins with": (TRANSLATION, ""),
    "layers on branches, beside each other and in a print": (BRANCHES + FIT, ""),
    "accuracy of a data set of numbers": (
        NUMBERS + regression(metrics='"accuracy"') + FIT,
        "accuracy-on-regression",
    ),
    "accuracy of what follows a window": (
        WINDOWS.format("1") + regression(metrics='"accuracy"') + FIT,
        "accuracy-on-regression",
    ),
    "accuracy of numbers above a border": (NUMBERS + "y = (y > 140).astype(int)\n" + binary() + FIT, ""),
    "a loss for classes on a data set of numbers": (NUMBERS + binary() + FIT, "class-loss-on-regression"),
    "numbers between zero and one": (NUMBERS + "y = y / y.max()\n" + binary(loss='"mse"') + FIT, ""),
    "a sigmoid for numbers": (NUMBERS + binary(loss='"mse"') + FIT, "bounded-output"),
    "a tanh for standardised targets": (
        STANDARDISED + regression('Dense(1, activation="tanh")') + FIT,
        "bounded-output",
    ),
    "a tanh for targets between two bounds": (
        STANDARDISED.replace("StandardScaler()", "MinMaxScaler((-1, 1))")
        + regression('Dense(1, activation="tanh")')
        + FIT,
        "",
    ),
    "a relu for standardised targets": (
        STANDARDISED + regression('Dense(1, activation="relu")') + FIT,
        "relu-output-negative-targets",
    ),
    "a linear output for standardised targets": (STANDARDISED + regression() + FIT, ""),
    "equality of probabilities": (
        binary(more=", metrics=[keras.metrics.Accuracy()]") + FIT,
        "accuracy-resolved-wrong",
    ),
    "columns counted one by one": (
        classes().replace(
            '"sparse_categorical_crossentropy"', '"categorical_crossentropy", metrics=["binary_accuracy"]'
        )
        + FIT,
        "accuracy-resolved-wrong",
    ),
    "binary accuracy of a binary output": (binary(more=', metrics=["binary_accuracy"]') + FIT, ""),
    "F1 of each batch": (F1 + binary(more=", metrics=[f1_score]") + FIT, "metric-averaged-per-batch"),
    "F1 of Keras": (binary(more=", metrics=[keras.metrics.F1Score()]") + FIT, ""),
    "an answer for every step": (WINDOWS.format("1") + STEPS.format(", return_sequences=True") + FIT, STEPWISE),
    "an answer for the last step": (WINDOWS.format("1") + STEPS.format("") + FIT, ""),
    "an answer for every step, and a target too": (
        WINDOWS.format("1").replace("series[i + 20]", "series[i + 1:i + 21]")
        + STEPS.format(", return_sequences=True")
        + FIT,
        "",
    ),
    "images that are never flattened": (DIGITS.format(""), "missing-flatten"),
    "images that are flattened": (DIGITS.format("Flatten(),"), ""),
}


@pytest.mark.parametrize(("code", "found"), CASES.values(), ids=CASES)
def test_a_fault_is_told_from_what_looks_like_it(code: str, found: str, tmp_path: Path) -> None:
    assert rules(DATA + code, tmp_path) - {"preprocessing-before-split"} == ({found} if found else set())
