"""Many small trainings in one process; prints what came of each. Run plainly and watched, it must say the same.

python zoo.py WEIGHTS.npz [watch]
"""

import random
import sys

import keras
import numpy as np
from keras import layers

BACKEND = keras.backend.backend()
WATCHED = sys.argv[2:] == ["watch"]
rng = np.random.default_rng(0)
X = rng.normal(size=(96, 8, 8, 1)).astype("float32")
Y = rng.integers(0, 3, 96)
FLAT = X.reshape(96, 64)
kept = {}


def callbacks():
    if WATCHED:
        import unstuck

        return [unstuck.Watch(experiments="off")]
    return []


def classifier(*body):
    model = keras.Sequential([*body, layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def keep(name, model, history=None):
    print(name, {k: [repr(float(v)) for v in values] for k, values in (history.history if history else {}).items()})
    for i, variable in enumerate(model.variables):
        kept[f"{name}-{i}"] = keras.ops.convert_to_numpy(variable)
    states = [random.random(), np.random.rand(), np.asarray(keras.ops.convert_to_numpy(keras.random.uniform((2,))))]
    if BACKEND == "torch":
        import torch

        states.append(torch.rand(2).tolist())
    print(name, "random states", states)


def mlp():
    model = classifier(layers.Dense(16, activation="relu"), layers.Dropout(0.3))
    keep("mlp", model, model.fit(FLAT, Y, epochs=2, validation_split=0.25, verbose=0, callbacks=callbacks()))


def cnn():
    model = classifier(layers.Conv2D(4, 3), layers.BatchNormalization(), layers.ReLU(), layers.Flatten())
    held = (X[:24], Y[:24])
    keep("cnn", model, model.fit(X, Y, epochs=2, validation_data=held, verbose=0, callbacks=callbacks()))


def lstm():
    model = classifier(layers.LSTM(6))
    keep("lstm", model, model.fit(X[..., 0], Y, epochs=2, verbose=0, callbacks=callbacks()))


def transformer():
    inputs = keras.Input((8, 8))
    hidden = layers.LayerNormalization()(inputs + layers.MultiHeadAttention(2, 4, dropout=0.1)(inputs, inputs))
    outputs = layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(hidden))
    model = keras.Model(inputs, outputs)
    model.compile("adam", "sparse_categorical_crossentropy")
    keep("transformer", model, model.fit(X[..., 0], Y, epochs=2, verbose=0, callbacks=callbacks()))


class OwnStep(keras.Model):
    """A model that brings its own train_step and reports the loss of the batch, not a running mean."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x, training=None):
        return self.dense(x)

    if BACKEND == "jax":

        def train_step(self, state, data):
            import jax

            trainable, fixed, slots, metrics = state

            def loss_of(trainable, fixed):
                prediction, fixed = self.stateless_call(trainable, fixed, data[0], training=True)
                return keras.ops.mean((prediction[:, 0] - data[1]) ** 2), fixed

            (loss, fixed), gradients = jax.value_and_grad(loss_of, has_aux=True)(trainable, fixed)
            trainable, slots = self.optimizer.stateless_apply(slots, gradients, trainable)
            return {"loss": loss}, (trainable, fixed, slots, metrics)

    elif BACKEND == "torch":

        def train_step(self, data):
            import torch

            self.zero_grad()
            loss = keras.ops.mean((self(data[0], training=True)[:, 0] - data[1]) ** 2)
            loss.backward()
            with torch.no_grad():
                self.optimizer.apply([w.value.grad for w in self.trainable_weights], self.trainable_weights)
            return {"loss": loss.detach()}

    else:

        def train_step(self, data):
            import tensorflow as tf

            with tf.GradientTape() as tape:
                loss = keras.ops.mean((self(data[0], training=True)[:, 0] - tf.cast(data[1], "float32")) ** 2)
            gradients = tape.gradient(loss, self.trainable_weights)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
            return {"loss": loss}


def own_step():
    model = OwnStep()
    model.compile("sgd")
    model.fit(FLAT, Y.astype("float32"), epochs=2, verbose=0, callbacks=callbacks())
    keep("own_step", model)


def two_fits():
    model = classifier(layers.Dense(8, activation="relu"))
    for weights in (None, np.linspace(0.5, 1.5, 96)):
        history = model.fit(FLAT, Y, epochs=1, sample_weight=weights, verbose=0, callbacks=callbacks())
    keep("two_fits", model, history)


def generator():
    taken = [0]

    def batches():
        while True:
            start = taken[0] * 32 % 96
            taken[0] += 1
            yield FLAT[start : start + 32], Y[start : start + 32]

    model = classifier(layers.Dropout(0.2))
    history = model.fit(batches(), epochs=3, steps_per_epoch=3, verbose=0, callbacks=callbacks())
    keep("generator", model, history)
    if BACKEND != "tensorflow":  # there a background thread fetches ahead, as much as it gets to
        print("batches taken", taken)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return FLAT[index * 24 :][:24], Y[index * 24 :][:24]


def stream():
    """The backend's own kind of data set, and a PyDataset to validate on."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        source = tf.data.Dataset.from_tensor_slices((FLAT, Y)).shuffle(96, seed=1).batch(20).map(lambda x, y: (x, y))
    elif BACKEND == "torch":
        import torch

        pairs = torch.utils.data.TensorDataset(torch.tensor(FLAT), torch.tensor(Y))
        source = torch.utils.data.DataLoader(pairs, batch_size=20, shuffle=True)
    else:
        source = Batches()
    model = classifier(layers.Dense(4, activation="relu"))
    keep("stream", model, model.fit(source, epochs=2, verbose=0, validation_data=Batches(), callbacks=callbacks()))


def loop():
    model = classifier(layers.Dense(4, activation="relu"))
    for _ in range(3):
        for start in range(0, 96, 24):
            loss = model.train_on_batch(FLAT[start : start + 24], Y[start : start + 24])
    print("loop", loss, model.evaluate(Batches(), verbose=0))
    keep("loop", model)


def several():
    """Two inputs, two outputs, handed over by name."""
    left, right = keras.Input((40,), name="left"), keras.Input((24,), name="right")
    hidden = layers.concatenate([layers.Dense(4)(left), layers.Dense(4)(right)])
    outputs = {"kind": layers.Dense(3, activation="softmax", name="kind")(hidden), "size": layers.Dense(1)(hidden)}
    model = keras.Model([left, right], outputs)
    model.compile("adam", {"kind": "sparse_categorical_crossentropy", "size": "mse"})
    x = {"right": FLAT[:, 40:], "left": FLAT[:, :40]}
    keep("several", model, model.fit(x, {"size": FLAT[:, :1], "kind": Y}, epochs=1, verbose=0, callbacks=callbacks()))


def mixed():
    keras.mixed_precision.set_global_policy("mixed_float16")
    model = classifier(layers.Dense(8, activation="relu"))
    keep("mixed", model, model.fit(FLAT, Y, epochs=1, class_weight={0: 2.0}, verbose=0, callbacks=callbacks()))
    keras.mixed_precision.set_global_policy("float32")


def stacked_steps():
    model = classifier(layers.Dense(8, activation="relu"))
    steps = 1 if BACKEND == "torch" else 2
    model.compile("sgd", "sparse_categorical_crossentropy", steps_per_execution=steps, run_eagerly=BACKEND == "torch")
    keep("stacked_steps", model, model.fit(FLAT, Y, epochs=1, verbose=0, callbacks=callbacks()))


def caught():
    model = classifier()
    try:
        model.fit(FLAT, Y[:50], verbose=0, callbacks=callbacks())
    except ValueError as error:
        print("caught", error)


np.random.seed(7)
random.seed(7)
for program in (
    mlp,
    cnn,
    lstm,
    transformer,
    own_step,
    two_fits,
    generator,
    stream,
    loop,
    several,
    mixed,
    stacked_steps,
    caught,
):
    keras.utils.set_random_seed(1)
    program()
np.savez(sys.argv[1], **kept)


class Broken(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise RuntimeError("of the script's own")


classifier().fit(FLAT, Y, verbose=0, callbacks=[Broken()])
