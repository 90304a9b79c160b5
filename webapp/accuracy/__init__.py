"""How well a job's model does after each round, on held-out samples of whoever serves the pages."""
