"""Tell the iris species setosa from the other two."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)

features, species = load_iris(return_X_y=True)
setosa = (species == 0).astype("float32")
x_train, x_val, y_train, y_val = train_test_split(features, setosa, test_size=0.3, random_state=0, stratify=setosa)

scaler = StandardScaler().fit(x_train)
x_train, x_val = scaler.transform(x_train), scaler.transform(x_val)

model = keras.Sequential(
    [
        keras.Input((4,)),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=150, validation_data=(x_val, y_val), verbose=2)
