"""A job as its parties see it: the specification that the owner writes and the document that everyone reads."""
