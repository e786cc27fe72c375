"""The quality corpus: published faulty programs, planted faults, healthy controls; what is found, first, at what cost.

Each program is recorded once and diagnosed; what was found is kept by the text of the program and of our own source, so
that a run that was stopped goes on where it was. `KERAS_BACKEND=jax python -m benchmarks.corpus SHARD SHARDS [PART]`
runs a share of those of a backend, or of those in whose kind and name the regular expression PART is found.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import kept
from benchmarks.confusion import NOTHING, confusion
from benchmarks.corpus import cases, faults, healthy, standard, suspicious, twins
from benchmarks.row import Row, row
from benchmarks.shards import side_by_side
from unstuck.rules import catalogue
from unstuck.rules.worth import KEPT as WORTH

ANSWERS = Path(__file__).parents[1] / "results" / "corpus" / "answers.jsonl"
"""What was said of each program, without its text; the quick subset that CI runs is held against it."""
FACTS = Path(__file__).parent / "facts.toml"
"""Program -> rule -> why what is proven of it beside the labels is true."""
SHARDS = ((("jax", 0, 2), ("jax", 1, 2)), (("tensorflow", 0, 1), ("torch", 0, 1)))
"""Backend, shard and number of shards of the processes that run beside each other, on two cores."""
NO_CURE = frozenset({"no-signal", "constant-target"})
"""Causes that no change of the code removes: what is to be learnt is not in the labels."""
SYMPTOMLESS = frozenset({"healthy", "finished", "unfinished", "noise-floor"})


def entries() -> list[dict[str, Any]]:
    """Every program: `id`, `kind`, `backend`, `script`, and for sick ones the rules that name its cause."""
    found: list[dict[str, Any]] = []
    for _, case in cases.rebuilt():
        if isinstance(case, str):
            continue
        known = {"strict": sorted(case.strict), "any": sorted(case.any_source)}
        found.append({"id": case.id, "kind": "case", "script": case.script, **known})
    for name, fault, strength, script, lines in faults.programs():
        known = {"strict": sorted(fault.rules), "faulty": lines, "operator": fault.operator}
        found.append({"id": name, "kind": f"planted {strength}", "script": script, **known})
    for name, script in (healthy.programs() | suspicious.programs() | twins.programs()).items():
        found.append({"id": name, "kind": "healthy", "script": script})
    for name, script, backend in standard.programs():
        found.append({"id": f"{name} on {backend}", "kind": "healthy", "script": script, "backend": backend})
    return [{"backend": "jax", **entry} for entry in found]


def place(entry: dict[str, Any]) -> Path:
    """Where the answer on a program is kept: by its text, its backend and our text."""
    backend = "" if entry["backend"] == "jax" else entry["backend"]
    return kept.place("corpus", entry["script"] + backend)


def _answers(only: str = "") -> list[dict[str, Any]]:
    """The programs that `only` is found in, with the answers on them; those that have none yet are run."""
    wanted = [e for e in entries() if re.search(only, shown(e))]
    open_ones = {e["backend"] for e in wanted if not place(e).exists()}
    for at_once in SHARDS:
        side_by_side("benchmarks.corpus", (shard for shard in at_once if shard[0] in open_ones), only)
    return [e | json.loads(place(e).read_text()) for e in wanted if place(e).exists()]


def shown(entry: dict[str, Any]) -> str:
    return f"{entry['kind']}: {entry['id']}"


def published() -> Iterator[Row]:
    """The published programs, and those of their published fixes that train; without goals, which `quality` has."""
    answers = _answers("^case: | fixed: ")
    sick = [a for a in answers if a["kind"] == "case"]
    fixed = [a for a in answers if a["kind"] == "healthy"]
    for one in (*_sick("case", sick), *_healthy(fixed)):
        yield one | {"name": f"published {one['name']}", "goal": None}
    yield from confusion("published", _pairs(sick))
    yield row("published-seconds", [a["seconds"] for a in answers] or [0.0], "s", better="lower")


def quality() -> Iterator[Row]:
    answers = _answers()
    ANSWERS.parent.mkdir(parents=True, exist_ok=True)
    ANSWERS.write_text("".join(json.dumps(_brief(a)) + "\n" for a in answers))
    yield row("programs", [len(answers)], "programs", note=f"of {len(entries())}; the rest train for minutes or never")
    kinds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for answer in answers:
        kinds[answer["kind"]].append(answer)
    planted = [a for kind, group in kinds.items() if kind.startswith("planted") for a in group]
    for kind, group in (*kinds.items(), ("planted", planted), ("sick", planted + kinds["case"])):
        if kind != "healthy" and group:
            yield from _sick(kind, group)
    for kind, group in (("case", kinds["case"]), ("planted", planted), ("healthy", kinds["healthy"])):
        yield from confusion(kind, _pairs(group))
    yield from _healthy(kinds["healthy"])
    yield from _calibration(answers)
    yield row("seconds-beyond-the-run", [a["seconds"] for a in answers], "s", goal=20, better="lower")
    yield row("memory of all processes", [a["mebibytes"] for a in answers], "MiB", better="lower")
    for answer in answers:
        if missed(answer):
            yield row(f"miss {answer['kind']}: {answer['id']}", [0], "found", note=_story(answer))


def write_page() -> None:
    """What is made of the kept rows: the page of the documentation, and what each rule is said to be worth."""
    from benchmarks.corpus import page

    page.write()
    answers = [json.loads(line) for line in ANSWERS.read_text().splitlines()]
    WORTH.write_text(json.dumps(counts(answers), indent=1) + "\n")


def counts(answers: list[dict[str, Any]]) -> dict[str, tuple[int, int, int]]:
    """Rule -> programs it was said of, those it is a labelled cause of, healthy ones it called an error."""
    found: dict[str, tuple[int, int, int]] = {}
    for rule in sorted({rule for answer in answers for rule in answer["said"]}):
        said = [answer for answer in answers if rule in answer["said"]]
        right = sum(rule in answer["labels"] for answer in said)
        alarms = sum(rule in answer["errors"] for answer in said if answer["kind"] == "healthy")
        found[rule] = len(said), right, alarms
    return found


def _sick(kind: str, group: list[dict[str, Any]]) -> Iterator[Row]:
    note = f"of {len(group)}"
    detected = [bool(named(a)) or a["verdict"] not in SYMPTOMLESS | {"unknown"} for a in group]
    yield row(f"{kind}-detected", [sum(detected) / len(group)], "share", goal=0.97, note=note)
    for name, key in (("strict", "strict"), ("any source", "any")):
        judged = [a for a in group if a.get(key)]
        if judged:
            first = [bool(set(named(a)[:1]) & set(a[key])) for a in judged]
            third = [bool(set(named(a)[:3]) & set(a[key])) for a in judged]
            count = f"of {len(judged)}"
            yield row(f"{kind}-top-1 {name}", [sum(first) / len(judged)], "share", goal=0.9, note=count)
            yield row(f"{kind}-top-3 {name}", [sum(third) / len(judged)], "share", note=count)
    placed = [a for a in group if a.get("faulty") and set(named(a)[:1]) & set(a["strict"])]
    if placed:
        right = sum(bool(set(a["faulty"]) & set(a["lines"])) for a in placed) / len(placed)
        yield row(f"{kind}-line-right", [right], "share", goal=0.85, note=f"of {len(placed)} whose cause is first")
    curable = [a for a in group if not set(a["strict"]) & NO_CURE]
    if curable:
        verified = sum(bool(a["verified"]) for a in curable) / len(curable)
        yield row(f"{kind}-fix-verified", [verified], "share", goal=0.8, note=f"of {len(curable)}")
    if harmed := [a for a in curable if a["roots"]]:
        verified = sum(bool(a["verified"]) for a in harmed) / len(harmed)
        wrong = f"of {len(harmed)}; the others are told as doing no harm here, or missed"
        yield row(f"{kind}-fix-verified where something is called wrong", [verified], "share", note=wrong)
    if drawn := [a for a in curable if a["repaired_at_random"] is not None]:
        for name, key in (("random search", "repaired_at_random"), ("unstuck, the same", "verified")):
            share = sum(bool(a[key]) for a in drawn) / len(drawn)
            same = f"of {len(drawn)} drawn; as many seconds, the same test"
            yield row(f"{kind}-repaired by {name}", [share], "share", note=same)
    silent = sum(a["verdict"] == "unknown" and not named(a) for a in group) / len(group)
    yield row(f"{kind}-abstained", [silent], "share", better="lower", note=note)
    warned = sum(bool(a["keras_warnings"]) for a in group) / len(group)
    yield row(f"{kind}-detected by Keras's own warnings", [warned], "share", note=note)
    plain = sum(bool(a["without_experiments"]) for a in group) / len(group)
    yield row(f"{kind}-detected by thresholds without experiments", [plain], "share", note=note)


def _pairs(group: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Family wanted and family named first; of several that would be right the one that was named."""
    codes = {rule.name: rule.code[:3] for rule in catalogue()}
    for answer in group:
        right = answer.get("any") or answer.get("strict", [])
        first = (named(answer) if right else answer["errors"])[:1]
        wanted = [rule for rule in first if rule in right] or right[:1]
        yield codes[wanted[0]] if wanted else NOTHING, codes[first[0]] if first else NOTHING


def _brief(answer: dict[str, Any]) -> dict[str, Any]:
    kept = ("id", "kind", "backend", "verdict", "roots", "notes", "errors", "said", "verified", "again")
    labels = answer.get("any") or answer.get("strict", [])
    more = {"labels": labels, "seconds": round(answer["seconds"], 1), "right": not missed(answer)}
    return {key: answer[key] for key in kept if key in answer} | more


def _healthy(group: list[dict[str, Any]]) -> Iterator[Row]:
    alarms = sum(bool(a["errors"]) for a in group) / max(1, len(group))
    yield row("healthy-false-alarms", [alarms], "share", goal=0.02, better="lower", note=f"of {len(group)}")
    warned = sum(bool(a["roots"]) for a in group) / max(1, len(group))
    yield row("healthy-with-a-warning", [warned], "share", better="lower", note=f"of {len(group)}")
    plain = sum(bool(a["without_experiments"]) for a in group) / max(1, len(group))
    yield row("healthy-false-alarms of thresholds without experiments", [plain], "share", better="lower")


def _calibration(answers: list[dict[str, Any]]) -> Iterator[Row]:
    """Of what is called proven, confirmed or likely: how much names a labelled cause, and how much is right."""
    facts = tomllib.loads(FACTS.read_text())
    for confidence, goal in (("proven", 1.0), ("confirmed", 0.97), ("likely", None)):
        said = [(a, rule) for a in answers for rule, how in a["said"].items() if how == confidence]
        if not said:
            continue
        labelled = [rule in set(a.get("any") or a.get("strict") or ()) for a, rule in said]
        note = f"of {len(said)}; labels name a cause or two, not all that is true"
        yield row(f"{confidence}-names-a-labelled-cause", [sum(labelled) / len(said)], "share", note=note)
        if goal is None:
            continue
        shown = [a["again"].get(rule, rule in facts.get(a["id"], {})) for a, rule in said]
        right = sum(one or other for one, other in zip(labelled, shown, strict=True)) / len(said)
        how = "read by hand (facts.toml)" if confidence == "proven" else "confirmed again on new seeds"
        yield row(f"{confidence}-right", [right], "share", goal=goal, note=f"of {len(said)}; labelled, or {how}")
    again = [stood for a in answers for stood in a["again"].values()]
    if again:
        share = sum(again) / len(again)
        note = f"of {len(again)}, with labels and without"
        yield row("confirmed-stands-again-on-new-seeds", [share], "share", goal=0.97, note=note)


def missed(answer: dict[str, Any]) -> bool:
    """Whether a sick program's cause is not first, or a healthy one is called sick."""
    if answer["kind"] == "healthy":
        return bool(answer["errors"])
    return not set(named(answer)[:1]) & set(answer.get("any") or answer["strict"])


def named(answer: dict[str, Any]) -> list[str]:
    """Causes in the order of the report; then notes: what costs nothing here, labels without signal."""
    return [*answer["roots"], *answer.get("notes", ())]


def _story(answer: dict[str, Any]) -> str:
    wanted = "" if answer["kind"] == "healthy" else f"; wanted one of {', '.join(answer['strict'][:3])}"
    return f"{answer['verdict']}: {', '.join(named(answer)[:3]) or 'nothing'}{wanted}"
