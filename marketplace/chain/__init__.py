"""Everything between Python and an Ethereum chain: artifacts, connections, transactions, deployments, a local chain."""
