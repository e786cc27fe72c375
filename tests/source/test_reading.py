from __future__ import annotations

from pathlib import Path

import pytest

from unstuck.source.check import Asked, check_file
from unstuck.source.reading import Unreadable, read

from .reader import notebook

LOAD = "import pandas as pd\ndf = pd.read_csv('data.csv')\nX, y = df[['a', 'b']], df['target']\n"
SPLIT = "from sklearn.model_selection import train_test_split\nX_a, X_b, y_a, y_b = train_test_split(X, y)\n"
SCALE = "from sklearn.preprocessing import StandardScaler\nX = StandardScaler().fit_transform(X)\n"
FIT = "from sklearn.svm import SVC\nmodel = SVC().fit(X_a, y_a)\nprint(model.score(X_b, y_b))\n"


def found(path: Path) -> list[tuple[str, int | None, int]]:
    checked = check_file(path, Asked())
    assert not checked.trouble and not checked.crashed
    return [(f.rule, f.location.cell, f.location.line) for f in checked.findings if f.location]


def test_a_finding_in_a_notebook_names_cell_and_line(tmp_path: Path) -> None:
    file = notebook(tmp_path, (1, LOAD), (2, "# only words\n" + SCALE), (3, SPLIT), (4, FIT))
    assert found(file) == [("preprocessing-before-split", 2, 3)]


def test_cells_are_followed_in_the_order_in_which_they_ran(tmp_path: Path) -> None:
    ran_late = notebook(tmp_path, (1, LOAD), (4, SCALE), (2, SPLIT), (3, FIT), name="late.ipynb")
    ran_early = notebook(tmp_path, (1, LOAD), (3, SPLIT), (2, SCALE), (4, FIT), name="early.ipynb")
    assert found(ran_late) == []
    assert found(ran_early) == [("preprocessing-before-split", 3, 2)]


def test_an_order_of_counts_that_could_not_have_run_gives_way_to_the_page(tmp_path: Path) -> None:
    again = notebook(tmp_path, (9, LOAD), (2, SCALE), (3, SPLIT), (4, FIT))  # the first cell was run once more
    assert found(again) == [("preprocessing-before-split", 2, 2)]


def test_cells_that_never_ran_stay_where_they_are(tmp_path: Path) -> None:
    file = notebook(tmp_path, (None, LOAD), (None, SCALE), (None, SPLIT), (None, FIT))
    assert found(file) == [("preprocessing-before-split", 2, 2)]


def test_imports_may_come_from_a_later_cell(tmp_path: Path) -> None:
    late = "from sklearn.preprocessing import StandardScaler\nimport pandas as pd\n"
    body = "df = pd.read_csv('data.csv')\nX, y = df[['a']], df['t']\nX = StandardScaler().fit_transform(X)\n"
    file = notebook(tmp_path, (1, body), (2, SPLIT), (3, FIT), (4, late))
    assert found(file) == [("preprocessing-before-split", 1, 3)]


def test_magics_and_shell_lines_are_no_syntax_errors_and_keep_line_numbers(tmp_path: Path) -> None:
    magic = "%matplotlib inline\n!pip install keras\nfiles = !ls\ndf?\n"
    file = notebook(tmp_path, (1, LOAD), (2, magic + SCALE), (3, "%%bash\nls | wc -l\n"), (4, SPLIT), (5, FIT))
    assert found(file) == [("preprocessing-before-split", 2, 6)]


def test_one_broken_cell_does_not_hide_the_others(tmp_path: Path) -> None:
    file = notebook(tmp_path, (1, LOAD), (2, "x = (\n" * 20), (3, SCALE), (4, SPLIT), (5, FIT))
    assert found(file) == [("preprocessing-before-split", 3, 2)]


def test_a_line_that_is_no_python_does_not_hide_its_cell(tmp_path: Path) -> None:
    old = "for i in range(3):\n    print 'old'\nls -l\n"
    file = notebook(tmp_path, (1, LOAD), (2, old + SCALE), (4, SPLIT), (5, FIT))
    assert found(file) == [("preprocessing-before-split", 2, 5)]


def test_columns_count_characters_and_not_bytes(tmp_path: Path) -> None:
    file = tmp_path / "train.py"
    file.write_text(LOAD + "größe = 1; " + SCALE.splitlines()[1] + "\n" + SPLIT + FIT, encoding="utf-8")
    text = file.read_text(encoding="utf-8")
    file.write_text("from sklearn.preprocessing import StandardScaler\n" + text, encoding="utf-8")
    (finding,) = check_file(file, Asked()).findings
    assert finding.location is not None
    assert (finding.location.line, finding.location.column) == (5, len("größe = 1; X = ") + 1)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.py", b"x = (\n", "a.py:1:5: '(' was never closed; correct it, or exclude the file"),
        ("a.py", b"x = '\xff'\n", "not text in its encoding"),
        ("a.py", b"# coding: nothing\nx = 1\n", "not text in its encoding"),
        ("a.py", b"x = '\x00'\n", "null bytes"),
        ("a.ipynb", b"{", "not a notebook"),
        ("a.ipynb", b"[]", "not a notebook"),
        (
            "a.ipynb",
            b'{"cells": [{"cell_type": "code", "source": "x = ("}]}',
            "a.ipynb:cell 1:1:5: '(' was never closed",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line_that_says_what_to_do(
    name: str, content: bytes, said: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(Unreadable) as raised:
        read(file, name)
    assert said in str(raised.value) and "\n" not in str(raised.value) and "; " in str(raised.value)


def test_a_declared_encoding_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    latin, marked = tmp_path / "latin.py", tmp_path / "marked.py"
    latin.write_bytes("# coding: latin-1\nname = 'größe'\n".encode("latin-1"))
    marked.write_bytes(b"\xef\xbb\xbfname = 1\n")
    assert read(latin, "latin.py").cells[0].lines == ("# coding: latin-1", "name = 'größe'")
    assert len(read(marked, "marked.py").cells[0].tree.body) == 1


def test_a_notebook_of_the_third_format_is_read(tmp_path: Path) -> None:
    file = tmp_path / "old.ipynb"
    file.write_text('{"worksheets": [{"cells": [{"cell_type": "code", "input": "x = 1", "prompt_number": 1}]}]}')
    assert read(file, "old.ipynb").cells[0].count == 1


def test_lines_are_counted_as_python_counts_them(tmp_path: Path) -> None:
    file = tmp_path / "train.py"
    file.write_bytes((LOAD + "note = 'a\x0cb'\n\x0c\n" + SCALE + SPLIT + FIT).replace("\n", "\r\n").encode())
    assert found(file) == [("preprocessing-before-split", None, 7)]
