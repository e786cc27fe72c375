"""Which family of causes is taken for which: a row of the matrix a family, its columns in the note."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from benchmarks.row import Row, row

NOTHING = "nothing"


def confusion(group: str, judged: Iterable[tuple[str, str]]) -> Iterator[Row]:
    """Rows of the matrix from pairs of the family wanted and the family of the cause named first.

    A healthy program wants `NOTHING`, and a sick one of which no cause is said got it.

    >>> [(r["name"], r["value"], r["note"]) for r in confusion("ours", [("OPT", "OPT"), ("OPT", "ACT")])]
    [('ours-named OPT', 0.5, 'of 2: ACT 1, OPT 1')]
    """
    matrix: dict[str, Counter[str]] = defaultdict(Counter)
    for wanted, named in judged:
        matrix[wanted][named] += 1
    for wanted, named_as in sorted(matrix.items()):
        total = named_as.total()
        columns = ", ".join(f"{named} {count}" for named, count in sorted(named_as.items()))
        yield row(f"{group}-named {wanted}", [named_as[wanted] / total], "share", note=f"of {total}: {columns}")
