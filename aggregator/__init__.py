"""The aggregator: collects a round's updates, scores them and settles the round on chain."""
