import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
y = rng.integers(0, 2, size=200)
X = rng.normal(size=(200, 2000))
X[:, :5] += 0.15 * (2 * y[:, None] - 1)

selector = SelectKBest(f_classif, k=20)
X = selector.fit_transform(X, y)

X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.25, random_state=0)

model = keras.Sequential(
    [
        keras.layers.Input((20,)),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(0.003), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(X_train, y_train, epochs=30, batch_size=32, validation_data=(X_val, y_val), verbose=2)
