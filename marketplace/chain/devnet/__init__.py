"""A local chain with nothing but pip packages: py-evm behind JSON-RPC, in this process or served on loopback."""
