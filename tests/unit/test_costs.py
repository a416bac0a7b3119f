"""What docs/costs.md says is what the arithmetic gives."""

from pathlib import Path

import pytest

from infra.costs import SHOWN, SIZES, bill, table

ROOT = Path(__file__).parents[2]


def test_the_documents_table_is_the_computed_one() -> None:
    assert table(SHOWN) in (ROOT / "docs" / "costs.md").read_text()


@pytest.mark.parametrize("few", [10, 1_000, 20_000])
def test_more_mailboxes_never_cost_less(few: int) -> None:
    fewer, more = bill(few), bill(few * 2)
    assert all(more[name] >= fewer[name] for name in fewer)


def test_the_largest_size_shown_has_a_price() -> None:
    assert max(SHOWN) <= SIZES[-1][0]
