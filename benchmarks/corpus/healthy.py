"""Programs that train as they should, of many kinds, some of which look suspicious: nothing may be called an error."""

from __future__ import annotations

from unstuck.rules.examples import prelude

FIT = "model.fit(x, y, validation_data=(x_val, y_val), epochs={epochs}, verbose=0{more})"
SEQUENCES = """\
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.normal(size=(800, 12, 3)).astype("float32")
y = (x[:, :, 0].sum(axis=1) + 0.5 * x[:, -1, 1] > 0).astype("float32")
x, x_val, y, y_val = x[:600], x[600:], y[:600], y[600:]
keras.utils.set_random_seed(0)
"""
TOKENS = """\
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.integers(1, 40, size=(800, 10))
x[rng.uniform(size=x.shape) < 0.2] = 0
y = ((x < 15).sum(axis=1) > (x >= 25).sum(axis=1)).astype("float32")
x, x_val, y, y_val = x[:600], x[600:], y[:600], y[600:]
keras.utils.set_random_seed(0)
"""
MULTILABEL = """\
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.normal(size=(900, 8)).astype("float32")
y = (x @ rng.normal(size=(8, 5)) + 0.3 * rng.normal(size=(900, 5)) > 0.5).astype("float32")
x, x_val, y, y_val = x[:700], x[700:], y[:700], y[700:]
keras.utils.set_random_seed(0)
"""
IMBALANCED = """\
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.normal(size=(1500, 6)).astype("float32")
y = (x[:, 0] + x[:, 1] + 0.3 * rng.normal(size=1500) > 2.2).astype("float32")
x, x_val, y, y_val = x[:1100], x[1100:], y[:1100], y[1100:]
keras.utils.set_random_seed(0)
"""


def programs() -> dict[str, str]:
    """Scripts by name."""
    found: dict[str, str] = {}
    two, three, regression, images = (prelude(d) for d in ("two-classes", "three-classes", "regression", "images"))
    for name in ("relu", "tanh", "gelu", "elu", "sigmoid"):
        found[f"mlp {name}"] = two + sequential([dense(32, name)], dense(1, "sigmoid"), epochs=25)
    found["mlp selu"] = two + sequential([dense(32, "selu", "lecun_normal")] * 3, dense(1, "sigmoid"), epochs=15)
    for text in ("SGD(0.1)", "SGD(0.02, momentum=0.9)", "RMSprop()", "AdamW()", "Nadam()", "Adagrad(0.1)",
                 "Adam(clipnorm=1.0)", "Adam(keras.optimizers.schedules.CosineDecay(0.01, 350))", "Lion(1e-3)",
                 "Adam(use_ema=True)", "Adam(0.02)"):  # fmt: skip
        found[f"mlp with {text}"] = two + sequential(
            [dense(16, "relu")], dense(1, "sigmoid"), optimizer=text, epochs=25
        )
    inside = {
        "dropout": ["Dropout(0.4)"],
        "batch norm": ["BatchNormalization()"],
        "layer norm": ["LayerNormalization()"],
        "noise": ["GaussianNoise(0.2)"],
    }
    for name, layers in inside.items():
        found[f"mlp {name}"] = two + sequential([dense(32, "relu"), *layers], dense(1, "sigmoid"), epochs=25)
    found["mlp l2"] = two + sequential([dense(32, "relu", more=', kernel_regularizer=keras.regularizers.L2(1e-4)')],
                                   dense(1, "sigmoid"), epochs=25)  # fmt: skip
    found["logistic regression"] = two + sequential([], dense(1, "sigmoid"), optimizer="Adam(0.02)", epochs=25)
    found["random features"] = two + sequential(
        [dense(200, "relu", more=", trainable=False")], dense(1, "sigmoid"), epochs=40
    )
    found["deep"] = two + sequential([dense(32, "relu", "he_normal")] * 6, dense(1, "sigmoid"), epochs=15)
    found["logits"] = two + sequential(
        [dense(16, "relu")], dense(1), "keras.losses.BinaryCrossentropy(from_logits=True)", epochs=25
    )
    found["two softmax units"] = two + sequential([dense(16, "relu")], dense(2, "softmax"), SPARSE, epochs=25)
    found["squared error on a sigmoid"] = two + sequential([dense(16, "relu")], dense(1, "sigmoid"), '"mse"', epochs=40)
    found["hinge"] = (
        two
        + "y, y_val = 2 * y - 1, 2 * y_val - 1\n"
        + sequential([dense(16, "relu")], dense(1, "tanh"), '"hinge"', epochs=25)
    )
    for name, more in {
        "class weights": ", class_weight={0: 1.5, 1: 1.0}",
        "small batches": ", batch_size=8",
        "one batch": ", batch_size=426",
        "early stopping": ", callbacks=[keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)]",
        "plateau": ", callbacks=[keras.callbacks.ReduceLROnPlateau(patience=3)]",
        "no shuffling": ", shuffle=False",
        "sample weights": ", sample_weight=np.where(y > 0, 1.0, 2.0)",
    }.items():
        rate = "Adam(0.05)" if name == "one batch" else "Adam()"
        found[name] = two + sequential([dense(16, "relu")], dense(1, "sigmoid"), optimizer=rate, epochs=25, more=more)
    found["validation split"] = two + sequential([dense(16, "relu")], dense(1, "sigmoid"), epochs=25).replace(
        "validation_data=(x_val, y_val)", "validation_split=0.2"
    )
    found["generator"] = two + sequential([dense(16, "relu")], dense(1, "sigmoid"), epochs=25).replace(
        "model.fit(x, y, ",
        "def batches():\n    while True:\n        rows = rng.permutation(len(x))[:32]\n"
        "        yield x[rows], y[rows]\n\nrng = np.random.default_rng(1)\nmodel.fit(batches(), steps_per_epoch=14, ",
    )
    found["PyDataset"] = two + sequential([dense(16, "relu")], dense(1, "sigmoid"), epochs=25).replace(
        "model.fit(x, y, ",
        "class Rows(keras.utils.PyDataset):\n    def __len__(self):\n        return 14\n\n"
        "    def __getitem__(self, i):\n        return x[i::14], y[i::14]\n\nmodel.fit(Rows(), ",
    )
    found["subclass"] = two + (
        "class Net(keras.Model):\n    def __init__(self):\n        super().__init__()\n"
        '        self.hidden = [keras.layers.Dense(16, "relu") for _ in range(2)]\n'
        '        self.out = keras.layers.Dense(1, activation="sigmoid")\n\n    def call(self, x):\n'
        "        for layer in self.hidden:\n            x = layer(x)\n        return self.out(x)\n\n"
        'model = Net()\nmodel.compile("adam", "binary_crossentropy", metrics=["accuracy"])\n' + fit_call(25)
    )
    one_hot = "y, y_val = np.eye(3)[y], np.eye(3)[y_val]\n"
    for name, (loss, before) in {
        "three sparse": (SPARSE, ""),
        "three one-hot": ('"categorical_crossentropy"', one_hot),
        "label smoothing": ("keras.losses.CategoricalCrossentropy(label_smoothing=0.1)", one_hot),
        "focal": ('"categorical_focal_crossentropy"', one_hot),
        "squared error on one-hot": ('"mse"', one_hot),
    }.items():  # fmt: skip
        found[name] = (
            three + before + sequential([dense(32, "relu")], dense(3, "softmax"), loss, "Adam(0.01)", epochs=25)
        )
    found["three sigmoids"] = three + one_hot + sequential(
        [dense(32, "relu")], dense(3, "sigmoid"), '"binary_crossentropy"', "Adam(0.01)", epochs=25)  # fmt: skip
    for loss in ("mse", "mae", "huber", "log_cosh"):
        found[f"regression {loss}"] = regression + sequential(
            [dense(16, "relu")], dense(1), f'"{loss}"', "Adam(0.005)", epochs=30
        )
    found["linear regression"] = regression + sequential([], dense(1), '"mse"', "Adam(0.05)", epochs=40)
    convolution = ['Conv2D(16, 3, activation="relu")', "MaxPooling2D()"]
    for name, layers in {
        "cnn": [*convolution, "Flatten()"],
        "cnn batch norm": ["Conv2D(16, 3)", "BatchNormalization()", "ReLU()", "Flatten()"],
        "cnn global pool": [
            'Conv2D(32, 3, activation="relu")', 'Conv2D(64, 3, activation="relu")', "GlobalAveragePooling2D()",
        ],
        "cnn augmented": ["RandomTranslation(0.1, 0.1)", *convolution, "Flatten()"],
        "pixels": ["Flatten()", 'Dense(64, activation="relu")'],
    }.items():  # fmt: skip
        found[name] = images + sequential(layers, dense(10, "softmax"), SPARSE, "Adam(0.003)", epochs=8)
    found["bytes rescaled"] = (
        images
        + "x, x_val = x * 255, x_val * 255\n"
        + sequential(
            ["Rescaling(1 / 255)", *convolution, "Flatten()"], dense(10, "softmax"), SPARSE, "Adam(0.003)", epochs=8
        )
    )
    for name, layers in {
        "lstm": ["LSTM(16)"], "gru": ["GRU(16)"], "bidirectional": ["Bidirectional(keras.layers.LSTM(8))"],
        "conv1d": ['Conv1D(16, 3, activation="relu")', "GlobalAveragePooling1D()"],
        "flattened": ["Flatten()", 'Dense(32, "relu")'],
    }.items():  # fmt: skip
        found[f"sequence {name}"] = SEQUENCES + sequential(
            layers, dense(1, "sigmoid"), optimizer="Adam(0.01)", epochs=15
        )
    for name, layers in {
        "embedding": ["Embedding(40, 8)", "GlobalAveragePooling1D()"],
        "masked": ["Embedding(40, 8, mask_zero=True)", "LSTM(8)"],
    }.items():
        found[f"tokens {name}"] = TOKENS + sequential(layers, dense(1, "sigmoid"), optimizer="Adam(0.01)", epochs=15)
    found["multi-label"] = MULTILABEL + sequential(
        [dense(32, "relu")], dense(5, "sigmoid"), optimizer="Adam(0.01)", epochs=20
    )
    found["imbalanced"] = IMBALANCED + sequential(
        [dense(16, "relu")], dense(1, "sigmoid"), optimizer="Adam(0.01)", epochs=20
    )
    found["autoencoder"] = images + "y, y_val = x, x_val = x.reshape(-1, 64), x_val.reshape(-1, 64)\n" + sequential(
        [dense(32, "relu")], dense(64, "sigmoid"), optimizer="Adam(0.005)", epochs=15)  # fmt: skip
    found["two outputs"] = two + (
        "entry = keras.Input((30,))\nhidden = keras.layers.Dense(16, activation=\"relu\")(entry)\n"
        'model = keras.Model(entry, [keras.layers.Dense(1, activation="sigmoid", name="a")(hidden),\n'
        '                            keras.layers.Dense(1, name="b")(hidden)])\n'
        'model.compile("adam", ["binary_crossentropy", "mse"])\n'
        "model.fit(x, [y, x[:, :1]], validation_data=(x_val, [y_val, x_val[:, :1]]), epochs=25, verbose=0)\n"
    )  # fmt: skip
    return found


SPARSE = '"sparse_categorical_crossentropy"'


def dense(units: int, activation: str = "", initializer: str = "", more: str = "") -> str:
    shown = f', activation="{activation}"' if activation else ""
    return f"Dense({units}{shown}{f', kernel_initializer={initializer!r}' if initializer else ''}{more})"


def sequential(
    layers: list[str],
    head: str,
    loss: str = '"binary_crossentropy"',
    optimizer: str = "Adam()",
    *,
    epochs: int,
    more: str = "",
) -> str:
    body = "".join(f"    keras.layers.{layer},\n" for layer in [*(layers or []), head])
    return (
        f"model = keras.Sequential([\n{body}])\n"
        f"model.compile(keras.optimizers.{optimizer}, loss={loss})\n{fit_call(epochs, more)}"
    )


def fit_call(epochs: int, more: str = "") -> str:
    return FIT.format(epochs=epochs, more=more) + "\n"
