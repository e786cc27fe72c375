from __future__ import annotations

from pathlib import Path

import pytest

from .reader import findings, rules

DATA = "x, y = np.load('x.npy'), np.load('y.npy')\n"


def network(head: str, compiled: str, hidden: str = 'Dense(16, activation="relu")') -> str:
    return (
        DATA
        + f"model = Sequential([{hidden}, {head}])\nmodel.compile({compiled})\n"
        + "model.fit(x, y, validation_split=0.2)\n"
    )


def own_model(head: str, after: str = "") -> str:
    return (
        DATA
        + f"""
class Net(keras.Model):
    def __init__(self, **settings):
        super().__init__(**settings)
        self.blocks = [Dense(16, activation="relu") for _ in range(2)]
        self.drop = Dropout(0.3)
        self.head = {head}
    def call(self, inputs, training=None):
        for block in self.blocks:
            inputs = block(inputs)
        if training:
            inputs = self.drop(inputs)
        return self.head(inputs)
{after}
model = Net(name="net")
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, validation_split=0.2)
"""
    )


ADAM = "keras.optimizers.Adam({}), loss='mse'"
BACKBONE = (
    DATA
    + """
base = keras.applications.MobileNetV2(include_top=False, weights={}, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = Sequential([base, Dense(5, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y)
"""
)

SICK = {
    "a class that only builds layers and calls them": (
        own_model('Dense(1, activation="softmax")'),
        {"softmax-on-one-unit"},
    ),
    "a relu as the output of a class": (own_model('Dense(10, activation="relu")'), {"relu-on-class-output"}),
    "a rate in a class of settings": (
        "class Config:\n    RATE, UNITS = None, 8\n    RATE = 2.0\n"
        + network("Dense(Config.UNITS)", ADAM.format("Config.RATE")),
        {"learning-rate-too-high"},
    ),
    "a rate that a dataclass has if none is given": (
        "@dataclass\nclass Config:\n    units: int = 4\n    rate: float = 2.0\nconfig = Config(8)\n"
        + network("Dense(config.units)", ADAM.format("config.rate")),
        {"learning-rate-too-high"},
    ),
    "a rate that the command line has if none is typed": (
        "import argparse\nparser = argparse.ArgumentParser()\n"
        + "parser.add_argument('-l', '--learning-rate', type=float, default=5.0)\nargs = parser.parse_args()\n"
        + network("Dense(8)", ADAM.format("args.learning_rate")),
        {"learning-rate-too-high"},
    ),
    "class numbers of scikit-learn under a loss for one-hot rows": (
        "from sklearn.datasets import load_iris\niris = load_iris()\n"
        + "x, x_val, y, y_val = train_test_split(iris.data, iris['target'])\n"
        + "model = Sequential([Dense(8, activation='relu'), Dense(3, activation='softmax')])\n"
        + "model.compile('adam', 'categorical_crossentropy')\nmodel.fit(x, y, validation_data=(x_val, y_val))\n",
        {"label-format-mismatch"},
    ),
    "a large penalty, by its old name": (
        "penalty = keras.regularizers.l2(10.0)\n"
        + network(
            "Dense(3, activation='softmax')",
            "'adam', loss='sparse_categorical_crossentropy'",
            "Dense(16, activation='relu', kernel_regularizer=penalty)",
        ),
        {"weight-penalty-too-strong"},
    ),
    "eight sigmoid layers": (
        DATA
        + "model = Sequential()\nfor _ in range(8):\n    model.add(Dense(32, activation='sigmoid'))\n"
        + "model.add(Dense(1))\nmodel.compile('sgd', 'mse')\nmodel.fit(x, y)\n",
        {"vanishing-gradient"},
    ),
    "a frozen backbone without weights": (BACKBONE.format("None"), {"frozen-random-weights"}),
    "softmax on one unit": (
        network('Dense(1, activation="softmax")', '"adam", loss="binary_crossentropy"'),
        {"softmax-on-one-unit"},
    ),
    "softmax on one unit through model.add and names": (
        DATA
        + "classes, last = 1, 'softmax'\nmodel = Sequential()\nmodel.add(Dense(8))\n"
        + "model.add(Dense(classes))\nmodel.add(Activation(last))\nmodel.compile('adam', 'mse')\nmodel.fit(x, y)\n",
        {"softmax-on-one-unit"},
    ),
    "softmax on one unit of a functional model": (
        DATA
        + "inputs = keras.Input((4,))\nhidden = Dense(8, activation='relu')(inputs)\n"
        + "outputs = Dense(1, activation='softmax')(hidden)\nmodel = Model(inputs, outputs)\n"
        + "model.compile('adam', 'mse')\nmodel.fit(x, y)\n",
        {"softmax-on-one-unit"},
    ),
    "softmax on one unit from a function": (
        DATA
        + "def head(units):\n    return Dense(units, activation=tf.nn.softmax)\n"
        + "model = Sequential([Dense(8), head(1)])\nmodel.compile('adam', 'mse')\nmodel.fit(x, y)\n",
        {"softmax-on-one-unit"},
    ),
    "layers from a loop over sizes": (
        DATA
        + "model = Sequential()\nfor size in (32, 16):\n    model.add(Dense(size, activation='relu'))\n"
        + "model.add(Dense(1, activation='softmax'))\nmodel.compile('adam', 'mse')\nmodel.fit(x, y)\n",
        {"softmax-on-one-unit"},
    ),
    "a class with a build method": (
        DATA
        + """
class Study:
    def __init__(self):
        self.model = self.build()
    def build(self):
        model = Sequential()
        model.add(Dense(8, activation="relu"))
        model.add(Dense(1, activation="softmax"))
        return model
    def run(self):
        self.model.compile("adam", "mse")
        self.model.fit(x, y)
Study().run()
""",
        {"softmax-on-one-unit"},
    ),
    "categorical cross-entropy on one sigmoid": (
        network('Dense(1, activation="sigmoid")', '"adam", loss="categorical_crossentropy"'),
        {"categorical-loss-on-one-unit"},
    ),
    "sparse cross-entropy on one unit": (
        network("Dense(1)", '"adam", loss="sparse_categorical_crossentropy"'),
        {"categorical-loss-on-one-unit"},
    ),
    "softmax over the batch": (
        network("Dense(3), layers.Softmax(axis=0)", '"adam", loss="categorical_crossentropy"'),
        {"softmax-over-wrong-axis"},
    ),
    "softmax and from_logits": (
        network(
            'Dense(3, activation="softmax")',
            '"adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)',
        ),
        {"double-softmax"},
    ),
    "two softmax": (
        network('Dense(3, activation="softmax"), Activation("softmax")', '"adam", loss="categorical_crossentropy"'),
        {"double-softmax"},
    ),
    "sigmoid and from_logits": (
        network('Dense(1, activation="sigmoid")', '"adam", loss=tf.keras.losses.BinaryCrossentropy(from_logits=True)'),
        {"double-sigmoid"},
    ),
    "a linear output under a cross-entropy": (
        network("Dense(10)", '"adam", loss="sparse_categorical_crossentropy"'),
        {"missing-output-activation"},
    ),
    "a linear output under a loss object": (
        network("Dense(1)", '"adam", loss=keras.losses.BinaryCrossentropy()'),
        {"missing-output-activation"},
    ),
    "binary cross-entropy over ten classes": (
        network('Dense(10, activation="softmax")', '"adam", loss="binary_crossentropy"'),
        {"binary-loss-on-one-hot"},
    ),
    "a ReLU on classes": (
        network('Dense(10, activation="relu")', '"adam", loss="categorical_crossentropy"'),
        {"relu-on-class-output"},
    ),
    "a tanh on one class": (
        network('Dense(1, activation="tanh")', '"adam", loss="binary_crossentropy"'),
        {"relu-on-class-output"},
    ),
    "one-hot labels under the sparse loss": (
        DATA
        + "y = keras.utils.to_categorical(y)\nmodel = Sequential([Dense(8), Dense(3, activation='softmax')])\n"
        + "model.compile('adam', 'sparse_categorical_crossentropy')\nmodel.fit(x, y)\n",
        {"label-format-mismatch"},
    ),
    "class numbers under the categorical loss": (
        "(x, y), (x_test, y_test) = keras.datasets.mnist.load_data()\n"
        "model = Sequential([Dense(8), Dense(10, activation='softmax')])\n"
        "model.compile('adam', 'categorical_crossentropy')\nmodel.fit(x, y)\n",
        {"label-format-mismatch"},
    ),
    "squared error on classes": (
        network('Dense(3, activation="softmax")', '"adam", loss="mse", metrics=["accuracy"]'),
        {"squared-error-on-classes"},
    ),
    "no loss": (network("Dense(1)", '"adam"'), {"missing-loss"}),
    "class weights by name": (
        DATA
        + "model = Sequential([Dense(1, activation='sigmoid')])\nmodel.compile('adam', 'binary_crossentropy')\n"
        + "model.fit(x, y, class_weight={'cat': 1.0, 'dog': 2.0})\n",
        {"class-weight-ignored"},
    ),
    "kernels of zeros": (
        network(
            'Dense(1, activation="sigmoid", kernel_initializer="zeros")',
            '"adam", loss="binary_crossentropy"',
            'Dense(16, activation="tanh", kernel_initializer="zeros")',
        ),
        {"zero-initialised-kernel"},
    ),
    "a ReLU layer of zeros": (
        network(
            "Dense(1)",
            '"adam", loss="mse"',
            'Dense(16, activation="relu", kernel_initializer=keras.initializers.Zeros())',
        ),
        {"zero-initialised-kernel"},
    ),
    "kernels of ones": (
        network(
            'Dense(1, kernel_initializer="ones")',
            '"adam", loss="mse"',
            "Dense(16, kernel_initializer=keras.initializers.Constant(0.5))",
        ),
        {"symmetric-initialisation"},
    ),
    "a large random start": (
        network(
            "Dense(1)",
            '"adam", loss="mse"',
            "Dense(16, kernel_initializer=keras.initializers.RandomNormal(stddev=10.0))",
        ),
        {"oversized-initialisation"},
    ),
    "a rate far too high": (
        network("Dense(1)", 'keras.optimizers.Adam(learning_rate=1.0), loss="mse"'),
        {"learning-rate-too-high"},
    ),
    "a rate far too high by a name": (
        "RATE = 10 ** 0\n" + network("Dense(1)", 'keras.optimizers.RMSprop(RATE), loss="mse"'),
        {"learning-rate-too-high"},
    ),
    "a rate far too low": (
        network("Dense(1)", 'keras.optimizers.Adam(1e-9), loss="mse"'),
        {"learning-rate-too-low"},
    ),
    "a rate too low for a network built here": (
        network("Dense(1)", 'keras.optimizers.Adam(1e-6), loss="mse"'),
        {"learning-rate-too-low"},
    ),
    "class weights by text": (
        DATA
        + "model = Sequential([Dense(1, activation='sigmoid')])\nmodel.compile('adam', 'binary_crossentropy')\n"
        + "model.fit(x, y, class_weight={str(label): 1.0 for label in set(y)})\n",
        {"class-weight-ignored"},
    ),
    "a base thawed without a compile": (
        DATA
        + "base = Sequential([Dense(8)])\nbase.trainable = False\nmodel = Sequential([base, Dense(1)])\n"
        + "model.compile('adam', 'mse')\nmodel.fit(x, y)\nbase.trainable = True\nmodel.fit(x, y)\n",
        {"late-trainable-change"},
    ),
    "a decay that empties the weights": (
        network("Dense(1)", 'keras.optimizers.AdamW(1e-3, weight_decay=50), loss="mse"'),
        {"weight-decay-too-strong"},
    ),
    "everything frozen": (
        DATA
        + "model = Sequential([Dense(8), Dense(1)])\nfor layer in model.layers:\n    layer.trainable = False\n"
        + "model.compile('adam', 'mse')\nmodel.fit(x, y)\n",
        {"everything-frozen"},
    ),
    "thawed without a compile": (
        DATA
        + "model = Sequential([Dense(8), Dense(1)])\nmodel.compile('adam', 'mse')\nmodel.fit(x, y)\n"
        + "model.layers[0].trainable = False\nmodel.trainable = True\nmodel.fit(x, y)\n",
        {"late-trainable-change"},
    ),
    "Normalization that saw nothing": (
        network("Dense(1)", '"adam", loss="mse"', "layers.Normalization(), Dense(8)"),
        {"normalization-not-adapted"},
    ),
    "a folder of one-hot labels for one unit": (
        """
from keras.preprocessing.image import ImageDataGenerator
train = ImageDataGenerator().flow_from_directory("images/train")
model = Sequential([layers.Flatten(), Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy")
model.fit(train)
""",
        {"generator-class-mode"},
    ),
    "predictions of a shuffled folder": (
        """
from keras.preprocessing.image import ImageDataGenerator
from sklearn.metrics import confusion_matrix
test = ImageDataGenerator().flow_from_directory("images/test", class_mode="binary")
model = keras.models.load_model("model.keras")
print(confusion_matrix(test.classes, model.predict(test) > 0.5))
""",
        {"shuffled-predictions"},
    ),
}

HEALTHY = {
    "a class with a training step of its own": own_model(
        "Dense(10)", "    def train_step(self, data):\n        return {}"
    ),
    "a frozen backbone with weights": BACKBONE.format('"imagenet"'),
    "a backbone without weights that is trained": BACKBONE.format("None").replace("base.trainable = False\n", ""),
    "settings that are given otherwise than by default": "@dataclass\nclass Config:\n    rate: float = 2.0\n"
    + "class Fixed:\n    rate = 3.0\nFixed.rate = 0.001\nconfig = Config(rate=0.001)\n"
    + network("Dense(8)", ADAM.format("config.rate"))
    + network("Dense(8)", ADAM.format("Fixed.rate")),
    "class numbers of scikit-learn as one-hot rows": "from sklearn.datasets import load_digits\n"
    + "x, y = load_digits(return_X_y=True)\ny = np.eye(10)[y]\n"
    + "model = Sequential([Dense(8, activation='relu'), Dense(10, activation='softmax')])\n"
    + "model.compile('adam', 'categorical_crossentropy')\nmodel.fit(x, y, validation_split=0.2)\n",
    "eight sigmoid layers with batch normalisation": DATA
    + "model = Sequential()\nfor _ in range(8):\n    model.add(Dense(32, activation='sigmoid'))\n"
    + "    model.add(layers.BatchNormalization())\n"
    + "model.add(Dense(1))\nmodel.compile('sgd', 'mse')\nmodel.fit(x, y)\n",
    "sigmoid and binary cross-entropy": network('Dense(1, activation="sigmoid")', '"adam", loss="binary_crossentropy"'),
    "softmax and sparse cross-entropy": network(
        'Dense(10, activation="softmax")', '"adam", loss="sparse_categorical_crossentropy"'
    ),
    "two softmax units under binary cross-entropy": network(
        'Dense(2, activation="softmax")', '"adam", loss="binary_crossentropy"'
    ),
    "many sigmoid units under binary cross-entropy": network(
        'Dense(20, activation="sigmoid")', '"adam", loss="binary_crossentropy"'
    ),
    "a sigmoid for each class": network('Dense(3, activation="sigmoid")', '"adam", loss="categorical_crossentropy"'),
    "a linear output with from_logits": network(
        "Dense(10)", '"adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)'
    ),
    "from_logits that is not stated": "import os\nlogits = bool(os.environ.get('LOGITS'))\n"
    + network("Dense(10)", '"adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=logits)'),
    "regression": network("Dense(1)", 'keras.optimizers.Adam(1e-3), loss="mse", metrics=["mae"]'),
    "a loss of one's own": "def loss(a, b):\n    return keras.ops.mean(a - b)\n" + network("Dense(1)", '"adam", loss'),
    "units counted in a loop": "units = 0\nfor name in open('classes.txt'):\n    units += 1\n"
    + network('Dense(units, activation="softmax")', '"adam", loss="categorical_crossentropy"'),
    "units counted until something happens": "units = 0\nfor step in (1, 2, 3):\n    units += 1\n"
    "    if input():\n        break\n"
    + network('Dense(units, activation="softmax")', '"adam", loss="categorical_crossentropy"'),
    "units set by a function": "units = 1\ndef read():\n    global units\n    units = 10\nread()\n"
    + network('Dense(units, activation="softmax")', '"adam", loss="categorical_crossentropy"'),
    "an activation changed afterwards": DATA
    + "model = Sequential([Dense(8), Dense(1, activation='softmax')])\n"
    + "model.layers[-1].activation = keras.activations.sigmoid\n"
    + "model.compile('adam', 'mse')\nmodel.fit(x, y)\n",
    "units that are not stated": "units = int(input())\n"
    + network('Dense(units, activation="softmax")', '"adam", loss="categorical_crossentropy"'),
    "a head that depends on a condition": DATA
    + """
n = len(set(y))
model = Sequential([Dense(8)])
if n == 2:
    model.add(Dense(1, activation="sigmoid"))
    loss = "binary_crossentropy"
else:
    model.add(Dense(n, activation="softmax"))
    loss = "categorical_crossentropy"
model.compile("adam", loss)
model.fit(x, y)
""",
    "a gate of one unit inside the network": DATA
    + "inputs = keras.Input((4,))\ngate = Dense(1, activation='softmax')(inputs)\n"
    + "outputs = Dense(1)(layers.Multiply()([inputs, gate]))\nmodel = Model(inputs, outputs)\n"
    + "model.compile('adam', 'mse')\nmodel.fit(x, y)\n",
    "a softmax over another axis": network(
        "Dense(1), layers.Softmax(axis=1)", '"adam", loss="mse"', "layers.LSTM(8, return_sequences=True)"
    ),
    "one zero layer at the end": network(
        'Dense(1, kernel_initializer="zeros")', '"adam", loss="mse"', 'Dense(8, activation="tanh")'
    ),
    "biases of zeros": network("Dense(1)", '"adam", loss="mse"', 'Dense(8, bias_initializer="zeros")'),
    "a layer of one constant before a random one": network(
        "Dense(1)", '"adam", loss="mse"', 'Dense(8, kernel_initializer="ones")'
    ),
    "a large rate of SGD": network("Dense(1)", 'keras.optimizers.SGD(0.5, momentum=0.9), loss="mse"'),
    "a schedule": network(
        "Dense(1)", 'keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1.0, 100)), loss="mse"'
    ),
    "a small rate for fine-tuning": DATA
    + "base = keras.applications.VGG16(include_top=False)\nmodel = Sequential([base, Dense(1)])\n"
    + "model.compile(keras.optimizers.Adam(1e-6), 'mse')\nmodel.fit(x, y)\n",
    "an ordinary decay": network("Dense(1)", 'keras.optimizers.AdamW(1e-3, weight_decay=0.01), loss="mse"'),
    "a frozen base under a new head": DATA
    + "base = keras.applications.VGG16(include_top=False)\nbase.trainable = False\n"
    + "model = Sequential([base, layers.Flatten(), Dense(1, activation='sigmoid')])\n"
    + "model.compile('adam', 'binary_crossentropy')\nmodel.fit(x, y)\n",
    "some layers of the base frozen": DATA
    + "base = keras.applications.VGG16(include_top=False)\nfor layer in base.layers[:-4]:\n"
    + "    layer.trainable = False\nhead = Dense(1)(layers.Flatten()(base.output))\n"
    + "model = Model(base.input, head)\nmodel.compile('adam', 'mse')\nmodel.fit(x, y)\n",
    "a base frozen before its head is added": DATA
    + "model = Sequential()\nmodel.add(Dense(8))\nfor layer in model.layers:\n    layer.trainable = False\n"
    + "model.add(Dense(1))\nmodel.compile('adam', 'mse')\nmodel.fit(x, y)\n",
    "thawed, compiled, trained on": DATA
    + "model = Sequential([Dense(8), Dense(1)])\nmodel.compile('adam', 'mse')\nmodel.fit(x, y)\n"
    + "model.trainable = True\nmodel.compile('adam', 'mse')\nmodel.fit(x, y)\n",
    "Normalization that was adapted": DATA
    + "norm = layers.Normalization()\nnorm.adapt(x)\nmodel = Sequential([norm, Dense(1)])\n"
    + "model.compile('adam', 'mse')\nmodel.fit(x, y)\n",
    "Normalization with given statistics": network(
        "Dense(1)", '"adam", loss="mse"', "layers.Normalization(mean=0.5, variance=0.1)"
    ),
    "a loss inside the model": DATA
    + "model = Sequential([Dense(1)])\nmodel.add_loss(lambda: 0.0)\nmodel.compile('adam')\nmodel.fit(x, y)\n",
    "a model of one's own without a loss": DATA
    + "class Mine(keras.Model):\n    def train_step(self, data):\n        return {}\n"
    + "model = Mine()\nmodel.compile('adam')\nmodel.fit(x, y)\n",
    "class weights by number": DATA
    + "model = Sequential([Dense(1, activation='sigmoid')])\nmodel.compile('adam', 'binary_crossentropy')\n"
    + "model.fit(x, y, class_weight={0: 1.0, 1: 2.0})\n",
    "one-hot labels under the categorical loss": "(x, y), (x_test, y_test) = keras.datasets.mnist.load_data()\n"
    "y = keras.utils.to_categorical(y, 10)\nmodel = Sequential([Dense(10, activation='softmax')])\n"
    "model.compile('adam', 'categorical_crossentropy')\nmodel.fit(x, y)\n",
    "an autoencoder with a sigmoid and squared error": network(
        'Dense(784, activation="sigmoid")', '"adam", loss="mse"'
    ),
    "a setting of a function that nothing here calls": "def build(units, activation='softmax'):\n"
    "    model = Sequential([Dense(units, activation=activation)])\n"
    "    model.compile('adam', 'categorical_crossentropy')\n    return model\n",
    "predictions of an ordered folder": """
from keras.preprocessing.image import ImageDataGenerator
from sklearn.metrics import confusion_matrix
test = ImageDataGenerator().flow_from_directory("images/test", class_mode="binary", shuffle=False)
model = keras.models.load_model("model.keras")
print(confusion_matrix(test.classes, model.predict(test) > 0.5))
""",
}

PROVEN = (
    "softmax on one unit",
    "categorical cross-entropy on one sigmoid",
    "sparse cross-entropy on one unit",
    "softmax over the batch",
    "no loss",
)


@pytest.mark.parametrize("name", SICK)
def test_a_broken_contract_is_found_and_nothing_else(name: str, tmp_path: Path) -> None:
    code, expected = SICK[name]
    assert rules(code, tmp_path) == expected


@pytest.mark.parametrize("name", HEALTHY)
def test_a_legal_contract_is_not_accused(name: str, tmp_path: Path) -> None:
    assert rules(HEALTHY[name], tmp_path) == set()


@pytest.mark.parametrize("name", SICK)
def test_only_what_follows_from_the_code_is_proven_and_an_error(name: str, tmp_path: Path) -> None:
    proven = {f.severity for f in findings(SICK[name][0], tmp_path) if f.confidence == "proven"}
    softmax = SICK[name][1] == {"softmax-on-one-unit"}
    assert proven == ({"error"} if name in PROVEN or softmax else set())


def test_a_finding_points_at_the_argument_and_names_the_other_half(tmp_path: Path) -> None:
    code = network('Dense(1, activation="softmax")', '"adam", loss="categorical_crossentropy"')
    (found,) = findings(code, tmp_path)
    line = (tmp_path / "train.py").read_text(encoding="utf-8").splitlines()
    place = found.location
    assert place is not None and place.end_column is not None
    assert line[place.line - 1][place.column - 1 : place.end_column - 1] == '"softmax"'
    assert [spot.label for spot in found.related] == ["one unit", "log(1) = 0 for every label"]


def test_the_edit_of_a_head_and_its_loss_is_complete(tmp_path: Path) -> None:
    code = network('Dense(1, activation="softmax")', '"adam", loss="categorical_crossentropy"')
    (found,) = findings(code, tmp_path)
    assert found.fix is not None
    assert (found.fix.applicability, [edit.text for edit in found.fix.edits]) == (
        "suggested",
        ['"sigmoid"', '"binary_crossentropy"'],
    )


def test_labels_made_numbers_again_are_not_called_one_hot(tmp_path: Path) -> None:
    for back in ("np.argmax(y, axis=1)", "y.argmax(axis=1)", "y[:, 0]"):
        code = (
            DATA
            + f"y = keras.utils.to_categorical(y)\ny = {back}\n"
            + "model = Sequential([Dense(3, activation='softmax')])\n"
            + "model.compile('adam', 'sparse_categorical_crossentropy')\nmodel.fit(x, y)\n"
        )
        assert rules(code, tmp_path) == set()


def test_a_rate_that_a_callback_sets_is_not_judged(tmp_path: Path) -> None:
    code = (
        DATA
        + "model = Sequential([Dense(1)])\nmodel.compile(keras.optimizers.Adam(1e-9), 'mse')\n"
        + "model.fit(x, y, callbacks=[keras.callbacks.LearningRateScheduler(lambda epoch: 0.001)])\n"
    )
    assert rules(code, tmp_path) == set()


def test_adversarial_training_may_switch_trainable_between_batches(tmp_path: Path) -> None:
    code = (
        DATA
        + "judge = Sequential([Dense(8), Dense(1, activation='sigmoid')])\n"
        + "judge.compile('adam', 'binary_crossentropy')\nfor step in range(1000):\n"
        + "    judge.train_on_batch(x, y)\n    judge.trainable = False\n    judge.trainable = True\n"
        + "    judge.train_on_batch(x, y)\n"
    )
    assert rules(code, tmp_path) == set()


def test_settings_far_outside_what_works_are_named(tmp_path: Path) -> None:
    assert rules(network("Dropout(0.95), Dense(1)", '"adam", loss="mse"'), tmp_path) == {"dropout-too-strong"}
    assert rules(network("Dropout(0.5), Dense(1)", '"adam", loss="mse"'), tmp_path) == set()
    cut = 'keras.optimizers.SGD(0.01, clipnorm=1e-6), loss="mse"'
    assert rules(network("Dense(1)", cut), tmp_path) == {"over-clipped-gradient"}
    assert rules(network("Dense(1)", cut.replace("1e-6", "1.0")), tmp_path) == set()
    assert rules(network("Dense(1)", cut.replace("SGD", "Adam")), tmp_path) == set()


def test_hidden_layers_are_judged_by_what_they_can_pass_on(tmp_path: Path) -> None:
    softmax = network("Dense(1)", '"adam", loss="mse"', 'Dense(8, activation="softmax")')
    linear = network("Dense(8), Dense(1)", '"adam", loss="mse"', "Dense(8)")
    assert rules(softmax, tmp_path) == {"squashed-hidden-layer"}
    assert [(f.rule, f.severity) for f in findings(linear, tmp_path)] == [("no-nonlinearity", "note")]
    assert rules(network("Dense(1)", '"adam", loss="mse"', "Dense(8)"), tmp_path) == set()
    assert rules(linear.replace("Dense(8), ", "Dense(8), layers.ReLU(), "), tmp_path) == set()


def test_pixels_divided_twice_are_found_and_once_is_fine(tmp_path: Path) -> None:
    code = (
        "(x, y), _ = keras.datasets.mnist.load_data()\nx = x / 255.0\n"
        "model = Sequential([layers.Rescaling(1 / 255), layers.Flatten(), Dense(10, activation='softmax')])\n"
        "model.compile('adam', 'sparse_categorical_crossentropy')\nmodel.fit(x, y)\n"
    )
    assert rules(code, tmp_path) == {"rescaled-twice"}
    assert rules(code.replace("x = x / 255.0\n", ""), tmp_path) == set()
    assert rules(code.replace("layers.Rescaling(1 / 255), ", ""), tmp_path) == set()
