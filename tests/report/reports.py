"""Reports built by hand, as the diagnosis would give them. The numbers of cases A and B were measured."""

from __future__ import annotations

from unstuck.finding import (
    Edit,
    Evidence,
    Finding,
    Fit,
    Fix,
    LayerMap,
    Location,
    Mark,
    Outcome,
    Report,
    RuleResult,
    Run,
    Series,
    Step,
    Summary,
    Tool,
    Trial,
    Verdict,
)

TOOL = Tool(name="unstuck", version="0.1.0")
SCHEMA = "report-1"


def results(outcome: Outcome, names: list[str], code: str = "DAT", **more: object) -> tuple[RuleResult, ...]:
    return tuple(
        RuleResult(rule=name, code=f"{code}{100 + i}", outcome=outcome, **more)  # type: ignore[arg-type]
        for i, name in enumerate(names)
    )


def run(script: str = "train.py", **more: object) -> Run:
    folder = "/home/ada/study/.unstuck/runs/2026-11-23-7f3a"
    return Run(
        id="2026-11-23-7f3a",
        folder=folder,
        command=(script,),
        script=f"/home/ada/study/{script}",
        keras="3.15.1",
        backend="jax",
        steps=75,
        seconds=2.1,
        status="completed",
        **more,  # type: ignore[arg-type]
    )


TRAIN = "/home/ada/study/train.py"
TRAIN_SOURCE = (
    '"""Tell benign from malignant."""',
    "",
    "import keras",
    "from sklearn.datasets import load_breast_cancer",
    "from sklearn.model_selection import train_test_split",
    "",
    "x, y = load_breast_cancer(return_X_y=True)",
    "x_train, x_val, y_train, y_val = train_test_split(x, y, test_size=0.2)",
    "",
    "keras.utils.set_random_seed(0)",
    "model = keras.Sequential([",
    "    keras.layers.Input((30,)),",
    '    keras.layers.Dense(32, activation="relu"),',
    '    keras.layers.Dense(1, activation="softmax"),',
    "])",
    'model.compile("adam", loss="categorical_crossentropy", metrics=["accuracy"])',
    "model.fit(x_train, y_train, epochs=5, validation_data=(x_val, y_val))",
)
LEAKAGE = [f"leak-{i}" for i in range(6)]


def softmax_finding(**more: object) -> Finding:
    fields: dict[str, object] = {
        "rule": "softmax-on-one-unit",
        "code": "OUT101",
        "fingerprint": "v1:9c1e",
        "severity": "error",
        "confidence": "proven",
        "message": "softmax over a single unit always outputs 1",
        "location": Location(
            file=TRAIN, line=14, column=27, end_line=14, end_column=47, label="divides one number by itself"
        ),
        "related": (
            Location(file=TRAIN, line=14, column=24, end_line=14, end_column=25, label="one unit"),
            Location(file=TRAIN, line=16, column=23, end_line=16, end_column=54, label="log(1) = 0 for every label"),
        ),
        "evidence": (
            Evidence(
                measure="steps-without-weight-change",
                text="no weight changed in 75 steps; the gradient is exactly 0",
                value=75,
                of=75,
            ),
            Evidence(measure="validation-output", text="all 114 validation outputs are exactly 1", value=1.0),
            Evidence(
                measure="loss",
                text="loss stays near 7.5e-08: that is Keras's clip at 1 − 1e-7 times the share of class 1, "
                "not a good fit",
                value=7.5e-8,
            ),
            Evidence(measure="accuracy", text="accuracy 0.626 is the share of class 1 in the labels", value=0.626),
        ),
        "conclusion": "the output does not depend on the weights, so no data, learning rate or number of "
        "epochs can change it",
        "experiments": ("x0", "x1", "x2", "x3"),
        "worth": 0.287,
        "fix": Fix(
            title="use a sigmoid with binary cross-entropy",
            applicability="suggested",
            edits=(
                Edit(file=TRAIN, start=(14, 38), end=(14, 47), text='"sigmoid"'),
                Edit(file=TRAIN, start=(16, 28), end=(16, 54), text='"binary_crossentropy"'),
            ),
            alternative="keep softmax, with two units and sparse_categorical_crossentropy",
        ),
    }
    return Finding(**{**fields, **more})  # type: ignore[arg-type]


def trial(id: str, role: str, label: str, value: tuple[float, ...], **more: object) -> Trial:
    return Trial(id=id, role=role, label=label, value=value, seeds=tuple(range(len(value))), **more)  # type: ignore[arg-type]


CHANCE = (0.0, 0.0, 0.0)
SOFTMAX_TRIALS = (
    trial("x0", "baseline", "as written", CHANCE, weights_moved=False, displayed={"val_accuracy": (0.632,) * 3}),
    trial(
        "x1",
        "rival",
        "learning rate × 10",
        CHANCE,
        effect=0.0,
        interval=(0.0, 0.0),
        outcome="refuted",
        weights_moved=False,
    ),
    trial(
        "x2",
        "placebo",
        "rows in another order",
        CHANCE,
        effect=0.0,
        interval=(0.0, 0.0),
        outcome="refuted",
        weights_moved=False,
    ),
    trial(
        "x3",
        "intervention",
        "sigmoid and binary_crossentropy",
        (0.71, 0.83, 0.78),
        baseline=CHANCE,
        curves=((0.9, 0.5, 0.3), (0.8, 0.4, 0.2), (0.7, 0.4, 0.3)),
        effect=0.773,
        interval=(0.623, 0.923),
        outcome="confirmed",
        sufficient=True,
        weights_moved=True,
        displayed={"val_accuracy": (0.895, 0.939, 0.921)},
        held_fixed=("data", "seed", "epochs", "optimizer"),
        engine="jax scan",
    ),
)


def case_a() -> Report:
    """Softmax over one unit: proven by arithmetic, the remedy tried."""
    return Report(
        schema=SCHEMA,
        tool=TOOL,
        run=run(),
        summary=Summary(
            error=1,
            worst="error",
            verdict="stuck",
            sentence="The output layer cannot learn: softmax over a single unit always outputs 1, so every "
            "gradient is 0.",
        ),
        fits=(
            Fit(
                index=0,
                verdict="stuck",
                sentence="No weight moved.",
                location=Location(file=TRAIN, line=17),
                epochs=5,
                facts=("a linear model reaches 0.956 val_accuracy on the same rows: there is much to learn",),
                constant_loss=0.661,
                series=(
                    Series(name="loss", steps=(1, 15, 30, 45, 60, 75), values=(7.7e-8, 9e-8, 6e-8, 8e-8, 7e-8, 7e-8)),
                    Series(name="val_loss", steps=(15, 30, 45, 60, 75), values=(7.5e-8,) * 5),
                    Series(name="accuracy", steps=(15, 30, 45, 60, 75), values=(0.626,) * 5),
                ),
                layers=(
                    LayerMap(
                        measure="gradient norm",
                        layers=("dense/kernel", "dense_1/kernel"),
                        steps=(0, 75),
                        values=((0.0, 0.0), (0.0, 0.0)),
                    ),
                ),
                marks=(Mark(step=0, text="every gradient is exactly 0"),),
            ),
        ),
        findings=(
            softmax_finding(),
            Finding(
                rule="accuracy-equals-base-rate",
                code="MET101",
                fingerprint="v1:aa",
                severity="warning",
                confidence="proven",
                message="accuracy equals the base rate",
                explained_by="softmax-on-one-unit",
            ),
        ),
        rules=(
            RuleResult(rule="softmax-on-one-unit", code="OUT101", outcome="found"),
            *results("cleared", [f"clear-{i}" for i in range(31)]),
            *results(
                "not-checked",
                LEAKAGE,
                "LEK",
                reason="need the data before the split",
                supply="unstuck explain E012",
            ),
        ),
        experiments=SOFTMAX_TRIALS,
        timing={"experiments": 14.2},
        sources={TRAIN: TRAIN_SOURCE},
    )


STUDY = "/home/ada/study/study.ipynb"


def case_b() -> Report:
    """Selection before the split in a notebook: confirmed with a control, the remedy a sketch."""
    written = (0.76, 0.86, 0.80, 0.76, 0.80)
    honest = (0.52, 0.58, 0.50, 0.52, 0.56)
    finding = Finding(
        rule="selection-before-split",
        code="LEK101",
        fingerprint="v1:b0",
        severity="error",
        confidence="confirmed",
        message="features were chosen with the validation rows",
        location=Location(
            file=STUDY, cell=4, line=2, column=14, end_column=27, label="sees all 200 rows and their labels"
        ),
        related=(Location(file=STUDY, cell=6, line=1, column=34, end_column=50, label="the split comes only here"),),
        flow=(
            Step(text="X"),
            Step(text="fit_transform", location=Location(file=STUDY, cell=4, line=2, column=14)),
            Step(text="train_test_split", location=Location(file=STUDY, cell=6, line=1, column=34)),
            Step(text="validation_data", location=Location(file=STUDY, cell=8, line=3, column=5)),
        ),
        conclusion="of the 0.80 shown, about 0.26 is the leak; honest is near 0.54",
        experiments=("y0", "y1", "y2", "y3"),
        worth=-0.26,
        fix=Fix(title="split first, then fit the selector on the training rows", applicability="sketch"),
    )
    trials = (
        trial("y0", "baseline", "as written", written, metric="val_accuracy"),
        trial(
            "y1",
            "intervention",
            "selector fitted on training rows",
            honest,
            metric="val_accuracy",
            baseline=written,
            effect=-0.26,
            interval=(-0.30, -0.22),
            outcome="confirmed",
        ),
        trial(
            "y2",
            "control",
            "labels shuffled, as written",
            (0.70, 0.84, 0.72, 0.86, 0.74),
            metric="val_accuracy",
            note="finds signal in noise",
        ),
        trial(
            "y3",
            "control",
            "labels shuffled, selector fitted on training rows",
            (0.5, 0.58, 0.48, 0.56, 0.54),
            metric="val_accuracy",
            note="as expected",
        ),
    )
    return Report(
        schema=SCHEMA,
        tool=TOOL,
        run=run("study.ipynb"),
        summary=Summary(
            error=1,
            worst="error",
            verdict="misleading",
            sentence="The score is not what it claims: 0.80 shown, 0.54 honest.",
        ),
        fits=(Fit(index=0, verdict="misleading", sentence="It trains on leaked features."),),
        findings=(finding,),
        rules=(
            RuleResult(rule="selection-before-split", code="LEK101", outcome="found"),
            *results("cleared", ["dead-relu", "unscaled-inputs"]),
            *results("refuted", ["scaling-before-split"], "LEK"),
            *results("not-applicable", ["softmax-on-one-unit"], "OUT"),
        ),
        experiments=trials,
        timing={"experiments": 104.0},
        sources={
            f"{STUDY}:cell 4": (
                "selector = SelectKBest(f_classif, k=20)",
                "X = selector.fit_transform(X, y)",
            ),
            f"{STUDY}:cell 6": ("X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.25)",),
        },
    )


def inconclusive() -> Report:
    """A suspect that the experiments could neither convict nor clear, and three reasons for not checking."""
    finding = Finding(
        rule="learning-rate-too-high",
        code="OPT101",
        fingerprint="v1:c0",
        severity="warning",
        confidence="likely",
        outcome="inconclusive",
        message="the loss rises after step 40 in 2 of 3 seeds",
        location=Location(file=TRAIN, line=16, column=15, end_column=21),
        evidence=(Evidence(measure="rising-steps", text="the loss rose in 35 of 75 steps", value=35, of=75),),
        conclusion="learning rate ÷ 10 changed held-out skill by +0.030 [−0.040, +0.090]",
        experiments=("z0", "z1", "z2", "z3"),
        fix=Fix(
            title="lower the learning rate",
            applicability="suggested",
            edits=(Edit(file=TRAIN, start=(16, 15), end=(16, 21), text="keras.optimizers.Adam(1e-4)"),),
        ),
    )
    trials = (
        trial("z0", "baseline", "as written", (0.41, 0.38, 0.52)),
        trial(
            "z1",
            "rival",
            "inputs standardised",
            (0.40, 0.39, 0.54),
            effect=0.007,
            interval=(-0.013, 0.027),
            outcome="refuted",
        ),
        trial(
            "z2",
            "intervention",
            "learning rate ÷ 10",
            (0.44, 0.43, 0.53),
            effect=0.03,
            interval=(-0.04, 0.09),
            outcome="inconclusive",
            seeds_to_settle=8,
        ),
        trial("z3", "rival", "twice as wide", (), outcome="not-run", note="the budget was used up"),
    )
    return Report(
        schema=SCHEMA,
        tool=TOOL,
        run=run(),
        summary=Summary(
            warning=1,
            worst="warning",
            verdict="impaired",
            sentence="Training is impaired, and the cause is not settled: the learning rate may be too high.",
        ),
        fits=(Fit(index=0, verdict="impaired", sentence="It learns unsteadily."),),
        findings=(
            finding,
            Finding(
                rule="unseeded-run",
                code="MET301",
                fingerprint="v1:c1",
                severity="note",
                confidence="proven",
                message="no seed is set, so the next run will differ",
            ),
            Finding(
                rule="too-few-rows",
                code="DAT301",
                fingerprint="v1:c2",
                severity="warning",
                confidence="possible",
                message="455 rows may be too few",
            ),
        ),
        rules=(
            RuleResult(rule="learning-rate-too-high", code="OPT101", outcome="inconclusive"),
            *results("found", ["unseeded-run"], "MET"),
            *results("cleared", ["dead-relu"], "GRD"),
            *results(
                "not-checked",
                LEAKAGE,
                "LEK",
                reason="need the data before the split",
                supply="unstuck explain E012",
            ),
            *results("not-checked", ["vanishing-gradient"], "GRD", needs=("gradient norms", "weights")),
            *results("crashed", ["constant-feature"], reason="ZeroDivisionError: division by zero"),
        ),
        experiments=trials,
        warnings=("the sklearn hooks could not be installed: no module named sklearn.base",),
        sources={TRAIN: TRAIN_SOURCE},
    )


def healthy() -> Report:
    """Nothing wrong: two lines."""
    return Report(
        schema=SCHEMA,
        tool=TOOL,
        run=run(),
        summary=Summary(
            verdict="unfinished",
            sentence="Validation loss still fell 1.8 % per epoch at the end: not stuck, unfinished.",
        ),
        fits=(Fit(index=0, verdict="unfinished", sentence="It still improves."),),
        rules=(
            *results("cleared", [f"clear-{i}" for i in range(36)]),
            *results("not-applicable", ["not-mine", "nor-mine"]),
        ),
    )


FOLDS = "/home/ada/study/folds.py"
FOLDS_SOURCE = (
    *("" for _ in range(19)),
    "pretrain.fit(images, images, epochs=3)",
    *("" for _ in range(9)),
    "for train, test in folds:",
    "    model = build(units=1, \tactivation='softmax')  # größer: 網路",
    *("" for _ in range(8)),
    "    model.fit(x[train], y[train])",
    *("" for _ in range(70)),
    "def build(units, activation):",
    "    return keras.Sequential([keras.layers.Dense(units, activation=activation)])",
)


def several_fits() -> Report:
    """A pretraining that is fine and two folds with one fault, built by a helper; nothing was tried."""
    finding = softmax_finding(
        location=Location(file=FOLDS, line=112, column=30, end_column=79, label="divides one number by itself"),
        related=(
            Location(file=FOLDS, line=31, column=19, label="one unit"),
            Location(file=FOLDS, line=31, column=29, end_column=49, label="softmax, chosen far away from here"),
            Location(file="/opt/lib/helpers.py", line=3, column=1, label="wraps the model"),
        ),
        experiments=(),
        fix=None,
        confidence="likely",
        conclusion="",
        fit=1,
    )
    verdicts: tuple[Verdict, ...] = ("finished", "stuck", "stuck")
    sentences = (
        "It reached what the data allow.",
        "No weight moved, whatever the rows of this fold were.",
        "No weight moved.",
    )
    return Report(
        schema=SCHEMA,
        tool=TOOL,
        run=run("folds.py"),
        summary=Summary(
            error=2,
            worst="error",
            verdict="stuck",
            sentence="Two of three fits cannot learn, for one reason.",
        ),
        fits=tuple(
            Fit(
                index=i,
                verdict=verdict,
                sentence=sentence,
                location=Location(file=FOLDS, line=20 if i == 0 else 40),
                facts=("only 12 rows",) if i == 2 else (),
            )
            for i, (verdict, sentence) in enumerate(zip(verdicts, sentences, strict=True))
        ),
        findings=(finding, softmax_finding(**{**_fields(finding), "fit": 2})),
        rules=(
            *(RuleResult(rule="softmax-on-one-unit", code="OUT101", outcome="cleared", fit=0),),
            *(RuleResult(rule="softmax-on-one-unit", code="OUT101", outcome="found", fit=i) for i in (1, 2)),
            *(RuleResult(rule="dead-relu", code="GRD101", outcome="cleared", fit=i) for i in (0, 1, 2)),
        ),
        sources={FOLDS: FOLDS_SOURCE},
    )


def _fields(finding: Finding) -> dict[str, object]:
    return {name: getattr(finding, name) for name in finding.__struct_fields__}


EVIL = "\x1b[31mred\x1b[0m\x07 \x1b]8;;http://evil.example\x07link\x1b]8;;\x07 \u202egnp.exe <script>alert(1)</script>"
LONG = "an_extremely_long_name_" * 12


def hostile() -> Report:
    """Names and texts that would recolour, hide, break out or overflow."""
    file = f"/tmp/{EVIL}/{LONG}.py"
    source = (
        "x = 1",
        f"y = {LONG!r} + '{EVIL}'",
        "z = '" + "w" * 200 + "'; model.fit(x)",
    )
    finding = Finding(
        rule=f"rule-{EVIL}",
        code="OUT\n999",
        fingerprint="v1:d0",
        severity="error",
        confidence="confirmed",
        message=f"layer {EVIL} named {LONG} breaks\r\nlines",
        location=Location(file=file, line=3, column=209, end_column=221, label=f"{EVIL} at the far right end"),
        related=(
            Location(file=file, line=2, column=5, end_column=400, label=LONG),
            Location(file=file, line=99, column=5, label="beyond the end of the file"),
            Location(file="gone.py", line=1, column=1, label=EVIL),
        ),
        flow=(Step(text=EVIL), Step(text=LONG, location=Location(file=file, line=2))),
        evidence=(
            Evidence(measure="x", text=f"{EVIL}\n\n{LONG}"),
            Evidence(measure="y", text="</script><!-- 網路訓練停滯不前 " * 6),
        ),
        conclusion=EVIL,
        experiments=("h0", "h1", "no-such-trial"),
        fix=Fix(
            title=EVIL,
            applicability="exact",
            edits=(Edit(file="gone.py", start=(1, 1), end=(1, 9), text=f"{EVIL}\n{LONG}"),),
            alternative=LONG,
        ),
    )
    return Report(
        schema=SCHEMA,
        tool=TOOL,
        run=Run(id=EVIL, folder=f"/tmp/{LONG}", script=file, command=(EVIL,)),
        summary=Summary(error=1, worst="error", verdict="stuck", sentence=f"{EVIL} is stuck"),
        fits=(
            Fit(
                index=0,
                verdict="stuck",
                sentence=EVIL,
                facts=(EVIL,),
                series=(
                    Series(name=EVIL, steps=(1, 2), values=(1.0, 2.0)),
                    Series(name="loss", steps=(1, 2, 3), values=(1.0, None, None)),
                ),
                layers=(
                    LayerMap(
                        measure=EVIL,
                        layers=(EVIL, EVIL, LONG),
                        steps=(0, 9),
                        values=((None, 1e-30), (0.0, 1.0), (1e30,) * 2),
                    ),
                ),
                marks=(Mark(step=2, text=EVIL),),
            ),
        ),
        findings=(finding,),
        rules=results("not-checked", [EVIL], reason=EVIL, supply=LONG),
        experiments=(
            trial("h0", "baseline", EVIL, (float("nan"), 1.0), weights_moved=None),
            trial(
                "h1",
                "intervention",
                LONG,
                (1e9, -1e9),
                baseline=(float("nan"), 1.0),
                curves=((1.0, None), (None, None)),
                metric="held-out skill",
                effect=-1e9,
                interval=(-2e9, 3.0),
                outcome="confirmed",
                note=EVIL,
            ),
        ),
        warnings=(EVIL,),
        sources={file: source},
    )


CASES = {
    "case-a": case_a,
    "case-b": case_b,
    "inconclusive": inconclusive,
    "healthy": healthy,
    "several-fits": several_fits,
    "hostile": hostile,
}
