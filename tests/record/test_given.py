"""Which first weights an initialiser drew, and which were given to the model."""

import keras
import numpy as np
import pytest

from unstuck.record.given import given, keys


def network(seed):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((8, 6)),
            keras.layers.Conv1D(16, 3, activation="relu", name="conv"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dropout(0.5),
            keras.layers.Bidirectional(keras.layers.LSTM(8), name="steps"),
            keras.layers.Dense(12, use_bias=False, kernel_initializer="he_normal", name="hidden"),
            keras.layers.Dense(1, name="head"),
        ]
    )


def values(model):
    return [np.array(keras.ops.convert_to_numpy(v)) for v in model.variables]


def found(model, drawn):
    return {name.split("/")[-2] for name in given(keys(model.variables), drawn, values(model))}


@pytest.mark.parametrize("seed", range(5))
def test_what_other_seeds_draw_is_not_given(seed):
    model, other = network(seed), network(100 + seed)
    assert not found(other, values(model))


def test_layers_that_were_loaded_trained_or_set_are_given():
    drawn, model = values(network(0)), network(1)
    for name, change in {"conv": lambda a: a + 1e-3, "norm": lambda a: a * 0.9, "hidden": np.tanh}.items():
        layer = model.get_layer(name)
        layer.set_weights([change(a) for a in layer.get_weights()])
    assert found(model, drawn) == {"conv", "norm"}
    hidden = model.get_layer("hidden")
    hidden.set_weights([np.sign(a) * 0.4 for a in hidden.get_weights()])
    assert found(model, drawn) == {"conv", "norm", "hidden"}
    model.compile("adam", "mse")
    model.fit(np.random.default_rng(0).normal(size=(64, 8, 6)), np.ones(64), verbose=0)
    assert found(model, drawn) == {"conv", "norm", "lstm_cell", "hidden", "head"}


def test_two_towers_with_layers_of_one_name_have_keys_of_their_own():
    def tower():
        inputs = keras.Input((4,))
        return keras.Model(inputs, keras.layers.Dense(3, name="dense")(inputs))

    one, other = tower(), tower()
    left, right = keras.Input((4,)), keras.Input((4,))
    model = keras.Model([left, right], keras.layers.concatenate([one(left), other(right)]))
    names = keys(model.variables)
    assert len(set(names)) == len(names) == 4
