"""What owners do: describe a job in a form, create and fund it, watch it, end it, take the model out.

| module | what it does |
|---|---|
| `entries` | the fields of the form: which entry of a job's file each one is |
| `form` | what was typed becomes the tables of a job's file, checked by the code that checks files |
| `toml` | those tables as the text of a file |
| `summary` | what the job would cost |
| `publishing` | its document and first model into the content store |
| `model` | the trained model with its provenance |
| `pages` | the routes |
"""

from webapp.owner.pages import pages

__all__ = ["pages"]
