import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(1)
table = load_diabetes(as_frame=True, scaled=False).frame
table["progression_index"] = (table["target"] - table["target"].min()) / 10
features = table.drop(columns="target")

X_train, X_val, y_train, y_val = train_test_split(features, table["target"], test_size=0.25, random_state=1)
scaler = StandardScaler().set_output(transform="pandas")
X_train = scaler.fit_transform(X_train)
X_val = scaler.transform(X_val)

model = keras.Sequential(
    [
        keras.layers.Input((X_train.shape[1],)),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(1),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse", metrics=["mae"])
model.fit(X_train, y_train, epochs=60, batch_size=32, validation_data=(X_val, y_val), verbose=2)
