"""What trainers do: read what joining means, join, start their process, see what became of their work, leave.

| module | what it does |
|---|---|
| `agreement` | what joining means, in plain words, and the digest that stands for it |
| `configuration` | the files with which a trainer's process starts |
| `pages` | the routes |
"""

from webapp.trainer.pages import pages

__all__ = ["pages"]
