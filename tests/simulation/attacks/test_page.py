"""docs/attacks.md tells of the library as it is."""

from pathlib import Path

from benchmarks.simulation.attacks.table import markdown_table

PAGE = Path(__file__).parents[3] / "docs" / "attacks.md"


def test_the_page_has_the_table_of_all_attacks() -> None:
    assert markdown_table() in PAGE.read_text(encoding="utf-8"), (
        "paste what python -m benchmarks.simulation.attacks prints"
    )
