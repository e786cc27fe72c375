"""docs/quality.md, made from the kept figures and answers alone: `python -m benchmarks.corpus.page`."""

from __future__ import annotations

import json
import math
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.corpus import ANSWERS, cases, entries, twins
from benchmarks.corpus.harm import harmless
from benchmarks.kept import HOME
from benchmarks.row import Row

PAGE = HOME / "docs" / "quality.md"
RESULTS = HOME / "benchmarks" / "results"
CORPUS = Path(__file__).parent
UNREAD = "not read yet"
GROUPS = {
    "case": "published faults",
    "planted mild": "planted, mild",
    "planted medium": "planted, medium",
    "planted strong": "planted, strong",
    "planted": "planted, all",
    "sick": "all that are sick",
}
OURS = {
    "detected": "detected",
    "top-1 strict": "cause first, strict",
    "top-1 any source": "cause first, any source",
    "top-3 strict": "in the first three",
    "line-right": "line right",
    "fix-verified": "fix verified",
    "abstained": "abstained",
}
PEERS = {
    "detected": "unstuck detects",
    "detected by Keras's own warnings": "stock Keras warns",
    "detected by thresholds without experiments": "checklist of thresholds finds an error",
    "repaired by unstuck, the same": "unstuck repairs",
    "repaired by random search": "random search repairs",
}

TEMPLATE = """\
# Quality

What is found, what is missed and what is called wrong that is right, on a corpus that anyone can run again.
`make quality ONLY=corpus` measures it, keeps the figures under `benchmarks/results` and writes this page.

{composition}

## Goals

{goals}

## By kind and strength

Strict counts the labels of the set that a program is from, any source those of all sets: they disagree on the same
question. A line is judged where the cause is first. A fix is verified if a trial shows that it raises held-out skill.

{groups}

## By kind of planted fault

{operators}

## Which family is taken for which

{families}

## By backend

Sick programs run on JAX, healthy ones on the others too. `make quality ONLY=rules` runs the sick and the healthy
example of every rule on each backend.

{backends}

{examples}

## Cost

Seconds of diagnosis after the run, with its trials, and resident memory of all processes of a shard, which only grows.

{cost}

## What a confidence is worth

Labels name a cause or two of a program; what is proven or confirmed beside them is not wrong for it. So each cure that
a trial confirmed is tried a second time, with initial weights and an order of batches that no trial has seen, and
stands if that confirms it too. What is proven beside the labels was read by hand: `benchmarks/corpus/facts.toml` says
why it is true, and what has no line there counts as wrong.

{calibration}

## Peers in the same run

Stock Keras is its own Python warnings. The checklist is our thresholds without experiments. Random search tries random
changes of rate, loss, output, activations, initialiser, batch, epochs and scale for as long as our trials took, on one
sick program in three, and is held to the same test.

{peers}

## Published figures of academic tools

As their authors give them; nothing here was measured by us.

{published}

### On the same programs

What papers report of programs that are rebuilt here, beside our answer. Theirs are the originals, ours are rebuilt from
facts on data of the same shape, and what counts as found differs: for deepmufl's authors a fault that is detected, for
DeepFD's and DEFault's a kind of fault that is named, for us a labelled cause that stands first.

{same_programs}

## Misses and false alarms

{wrong}

## Left out

{left_out}

## Version by version

{versions}
"""

Answer = dict[str, Any]


def write() -> None:
    PAGE.write_text(page(_lines(RESULTS / "quality-corpus.jsonl"), _lines(ANSWERS)), encoding="utf-8")


def page(rows: list[Row], answers: list[Answer]) -> str:
    """The whole page; the parts for which nothing is kept yet say so."""
    return TEMPLATE.format(
        composition=_composition(answers),
        goals=_goals(rows),
        groups=_by_group(rows, OURS),
        operators=_shares(answers, "operator"),
        families=_confusion(rows),
        backends=_shares(answers, "backend"),
        examples=_examples(_lines(RESULTS / "quality-rules.jsonl")),
        cost=_cost(rows),
        calibration=_calibration(rows),
        peers=_by_group(rows, PEERS),
        published=_published(),
        same_programs=_same_programs(answers),
        wrong=_wrong(answers),
        left_out=_left_out(),
        versions=_versions(),
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _table(head: list[str], body: list[list[str]]) -> str:
    if not body:
        return "Not measured yet."
    cells = [[str(cell).replace("|", "/") for cell in row] for row in body]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *cells])


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _composition(answers: list[Answer]) -> str:
    counted: dict[str, int] = defaultdict(int)
    for entry in entries():
        counted[f"{entry['kind']}, {entry['backend']}"] += 1
    kinds = [[kind, str(count)] for kind, count in sorted(counted.items())]
    return f"{sum(counted.values())} programs, of which {len(answers)} are answered.\n\n" + _table(
        ["kind", "programs"], kinds
    )


def _goals(rows: list[Row]) -> str:
    body = []
    for row in rows:
        if row.get("goal") is not None:
            sign = {"higher": "at least", "lower": "at most"}[row["better"]]
            met = row["value"] >= row["goal"] if row["better"] == "higher" else row["value"] <= row["goal"]
            body.append(
                [
                    row["name"],
                    _value(row),
                    f"{sign} {_value({**row, 'value': row['goal']})}",
                    "yes" if met else "no",
                    row.get("note", ""),
                ]
            )
    return _table(["figure", "value", "goal", "met", ""], body)


def _value(row: Row) -> str:
    return _percent(row["value"]) if row["unit"] == "share" else f"{row['value']:.3g} {row['unit']}"


def _by_group(rows: list[Row], figures: dict[str, str]) -> str:
    values = {row["name"]: _value(row) for row in rows}
    body = [
        [title, *(values.get(f"{group}-{figure}", "") for figure in figures)]
        for group, title in GROUPS.items()
        if f"{group}-detected" in values
    ]
    healthy = {
        "detected": "healthy-false-alarms",
        "detected by thresholds without experiments": "healthy-false-alarms of thresholds without experiments",
    }
    if figures is PEERS and "healthy-false-alarms" in values:
        body.append(["healthy, called wrong", *(values.get(healthy.get(figure, ""), "") for figure in figures)])
    return _table(["", *figures.values()], body)


def _shares(answers: list[Answer], key: str) -> str:
    """How many answers are right by the value of `key` of their programs, sick and healthy."""
    known = {entry["id"]: entry for entry in entries()}
    found: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for answer in answers:
        entry = known.get(answer["id"], {})
        if entry.get(key):
            found[entry[key], "healthy" if answer["kind"] == "healthy" else "sick"].append(answer["right"])
    body = [
        [name, kind, str(len(right)), _percent(sum(right) / len(right))]
        for (name, kind), right in sorted(found.items())
    ]
    return _table([key, "", "programs", "right"], body)


def _examples(rows: list[Row]) -> str:
    figures = {"sick-top-1": "sick, cause first", "healthy-with-errors": "healthy, called wrong"}
    found = {row["name"]: f"{_value(row)} {row.get('note', '')}" for row in rows}
    backends = [name.removesuffix("-sick-top-1") for name in found if name.endswith("-sick-top-1") and name.islower()]
    body = [[backend, *(found.get(f"{backend}-{figure}", "") for figure in figures)] for backend in backends]
    return _table(["examples of the rules on", *figures.values()], body)


def _cost(rows: list[Row]) -> str:
    wanted = ("seconds-beyond-the-run", "memory of all processes")
    body = [
        [r["name"], _value(r), f"{r['spread'][0]:.3g} to {r['spread'][1]:.3g}", str(r["n"])]
        for r in rows
        if r["name"] in wanted
    ]
    return _table(["", "median", "range", "programs"], body)


def _calibration(rows: list[Row]) -> str:
    figures = {r["name"]: r for r in rows}
    body = []
    for said in ("proven", "confirmed", "likely"):
        labelled, right = figures.get(f"{said}-names-a-labelled-cause"), figures.get(f"{said}-right")
        if labelled:
            body.append([said, _value(labelled), _value(right) if right else "", (right or labelled)["note"]])
    again = figures.get("confirmed-stands-again-on-new-seeds")
    if again:
        body.append(["confirmed, tried again on new seeds", "", f"{_value(again)} stand", again["note"]])
    return _table(["said to be", "names a labelled cause", "is right", ""], body)


def _confusion(rows: list[Row]) -> str:
    found = [[*r["name"].split("-named "), _value(r), r["note"]] for r in rows if "-named " in r["name"]]
    return _table(["programs", "family of the cause", "named first", "of these, named first"], found)


def _published() -> str:
    tools = tomllib.loads((CORPUS / "published.toml").read_text())["tool"]
    return _table(
        ["tool", "reported", "source", "caveat"],
        [[t[k] for k in ("name", "figure", "source", "caveat")] for t in tools],
    )


def _same_programs(answers: list[Answer]) -> str:
    right = {answer["id"]: answer["right"] for answer in answers}
    found: dict[tuple[str, str], list[tuple[bool, bool]]] = defaultdict(list)
    for facts in cases.programs():
        if facts["id"] in right:
            paper = "deepmufl 2023" if facts["id"].startswith("deepmufl:") else "DeepFD 2022, DEFault 2025"
            for tool, said in facts.get("published", {}).items():
                found[paper, tool].append((said, right[facts["id"]]))
    body = [
        [tool, paper, str(len(both)), str(sum(said for said, _ in both)), str(sum(ours for _, ours in both))]
        for (paper, tool), both in sorted(found.items())
    ]
    return _table(["tool", "as reported by", "programs", "it finds", "unstuck finds"], body)


def _wrong(answers: list[Answer]) -> str:
    causes = {**tomllib.loads((CORPUS / "causes.toml").read_text()), **harmless()}
    wanted = {entry["id"]: entry.get("strict", []) for entry in entries()}
    wrong = [answer for answer in answers if not answer["right"]]
    body = [
        [a["id"], a["kind"], f"{a['verdict']}: {', '.join(a['roots'][:3]) or 'nothing'}",
         ", ".join(wanted.get(a["id"], [])[:3]) or "no error", causes.get(a["id"], UNREAD)]
        for a in wrong
    ]  # fmt: skip
    unread = sum(a["id"] not in causes for a in wrong)
    head = f"{len(wrong)} of {len(answers)}; {unread} of them {UNREAD}.\n\n" if answers else ""
    return head + _table(["program", "kind", "said", "wanted one of", "cause"], body)


def _left_out() -> str:
    body = [[name, "its published fix", reason] for name, (_, reason) in twins.all_twins().items() if reason]
    return _table(["program", "what", "why it is left out"], [*_dropped(), *body])


def _dropped() -> Iterator[list[str]]:
    for name, case in cases.rebuilt():
        if isinstance(case, str):
            yield [name, "published fault", case]


def _versions() -> str:
    kept = [line for line in _lines(RESULTS / "versions.jsonl") if line["command"].endswith("=corpus")]
    names = list(dict.fromkeys(name for line in kept for name in line["figures"]))
    body = [[name, *(f"{line['figures'].get(name, math.nan):.3g}" for line in kept)] for name in names]
    return _table(["`make quality ONLY=corpus`", *(line["version"] for line in kept)], body)


if __name__ == "__main__":
    write()
