"""Why a submitted update is left out of a round: how that is found, shown with evidence, and judged by anyone."""
