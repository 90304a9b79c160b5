"""Transactions that visitors' wallets sign: prepared and tried here, shown decoded and in words, never signed here.

| module | what it does |
|---|---|
| `unsigned` | one function for each kind: which call, with what value |
| `trial` | tries one on the chain, and says what it costs |
| `decoder` | turns calldata back into words, from the ABI alone |
| `records` | keeps what was prepared, and what became of it, for the account that it is for |
| `progress` | what the node knows of one that was sent |
| `pages` | `/transactions/<id>`: what is asked, and how it goes |
"""

from webapp.transactions.pages import pages

__all__ = ["pages"]
