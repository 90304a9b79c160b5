"""Owner, trainer and referee: each finds its work on the chain and does it step by step."""
