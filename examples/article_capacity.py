import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.uniform(-5, 5, size=(1000, 1))
y = 2 * x**3 - x**2 + 3 * x + rng.normal(0, 5, size=(1000, 1))
x_train, x_val, y_train, y_val = train_test_split(x, y, test_size=0.2, random_state=0)

model = keras.Sequential(
    [
        keras.layers.Input((1,)),
        keras.layers.Dense(1),
    ]
)
model.compile(optimizer="adam", loss="mse")
model.fit(x_train, y_train, validation_data=(x_val, y_val), epochs=20, batch_size=32)
