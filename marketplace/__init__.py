"""Client side of the market: the job specification, the chain, the payloads, the parties and the command line."""
