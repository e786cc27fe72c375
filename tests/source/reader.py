"""Short programs in, rules out: what the tests of `unstuck check` share."""

from __future__ import annotations

import ast
import json
import textwrap
from pathlib import Path

from unstuck.finding import Finding
from unstuck.source.check import Asked, check_file
from unstuck.source.interpreter import Interpreter
from unstuck.source.reading import Cell, Program
from unstuck.source.story import Story

IMPORTS = """
import numpy as np
import pandas as pd
import tensorflow as tf
import keras
from keras import layers
from keras.models import Sequential, Model
from keras.layers import Dense, Dropout, Activation
from sklearn.model_selection import train_test_split, KFold, cross_val_score
from sklearn.preprocessing import StandardScaler, MinMaxScaler, LabelEncoder
from sklearn.linear_model import LogisticRegression
"""
FRAME = """
df = pd.read_csv("data.csv")
X = df.drop("target", axis=1)
y = df["target"]
"""
NETWORK = """
model = Sequential([Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
model.compile("adam", loss="binary_crossentropy")
"""


def program(code: str) -> str:
    return IMPORTS + textwrap.dedent(code)


def story(code: str) -> Story:
    text = program(code)
    return Interpreter(Program("train.py", (Cell(tuple(text.splitlines()), ast.parse(text)),))).follow()


def findings(code: str, folder: Path) -> list[Finding]:
    """What is shown by default: nothing that is merely possible, no consequences."""
    file = folder / "train.py"
    file.write_text(program(code), encoding="utf-8")
    checked = check_file(file, Asked())
    assert not checked.trouble and not checked.crashed, (checked.trouble, checked.crashed)
    return [f for f in checked.findings if f.confidence != "possible" and f.explained_by is None]


def rules(code: str, folder: Path) -> set[str]:
    return {finding.rule for finding in findings(code, folder)}


def notebook(folder: Path, *cells: tuple[int | None, str], name: str = "study.ipynb") -> Path:
    """A notebook of code cells with their execution counts."""
    made = [
        {"cell_type": "code", "execution_count": count, "source": source.splitlines(keepends=True), "outputs": []}
        for count, source in cells
    ]
    file = folder / name
    file.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}), encoding="utf-8")
    return file
