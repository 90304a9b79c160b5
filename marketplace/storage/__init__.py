"""Content addressed by CID: the identifiers, the file format behind them, and where the bytes are kept."""
