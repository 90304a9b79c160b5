"""Print the library as the table of docs/attacks.md: `python -m benchmarks.simulation.attacks`."""

from benchmarks.simulation.attacks.table import markdown_table

if __name__ == "__main__":
    print(markdown_table())
