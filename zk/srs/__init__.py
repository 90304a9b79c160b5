"""The structured reference string: its verification key, its file, and how it is imported or made."""
