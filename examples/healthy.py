"""Tell malignant from benign tumours by the shape of cell nuclei."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)

features, labels = load_breast_cancer(return_X_y=True)
x_train, x_val, y_train, y_val = train_test_split(features, labels, test_size=0.25, random_state=0, stratify=labels)

scaler = StandardScaler().fit(x_train)
x_train, x_val = scaler.transform(x_train), scaler.transform(x_val)

model = keras.Sequential(
    [
        keras.Input((30,)),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=25, batch_size=16, validation_data=(x_val, y_val), verbose=2)
