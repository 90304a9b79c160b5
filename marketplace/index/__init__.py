"""The index: jobs, rounds, contributions and money as database rows that follow the market's events."""
