"""Read handwritten digits with the first layers of a network that was trained on the even ones."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(0)

images, labels = load_digits(return_X_y=True)
images = (images / 16).astype("float32")
x_train, x_val, y_train, y_val = train_test_split(images, labels, test_size=0.25, random_state=0, stratify=labels)

base = keras.Sequential(
    [
        keras.Input((64,)),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(32, activation="relu"),
    ]
)
pretraining = keras.Sequential([base, keras.layers.Dense(10, activation="softmax")])
pretraining.compile("adam", loss="sparse_categorical_crossentropy")
even = y_train % 2 == 0
pretraining.fit(x_train[even], y_train[even], epochs=5, verbose=0)

model = keras.Sequential(
    [
        base,
        keras.layers.Dense(10, activation="softmax"),
    ]
)
for layer in model.layers:
    layer.trainable = False
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=8, validation_data=(x_val, y_val), verbose=2)
