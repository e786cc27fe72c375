import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.random((1000, 10))
y = rng.integers(0, 2, size=(1000, 1))
x_train, x_val, y_train, y_val = train_test_split(x, y, test_size=0.2, random_state=0)

model = keras.Sequential(
    [
        keras.layers.Input((10,)),
        keras.layers.Dense(10, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=1e-5),
    loss="binary_crossentropy",
    metrics=["accuracy"],
)
model.fit(x_train, y_train, validation_data=(x_val, y_val), epochs=20, batch_size=32)
