from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.harness import Bench


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """Scripts recorded in this process and diagnosed, with workers that stay open for the tests of a file."""
    from tests.harness import Bench

    made = Bench()
    yield made
    made.workers.close()
