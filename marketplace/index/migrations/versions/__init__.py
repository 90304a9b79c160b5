"""The steps. None of them imports the tables' classes, which are those of the last step only."""
