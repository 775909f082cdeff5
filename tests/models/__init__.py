"""What the tests know of each model, one file per model (see `known.py` for what such a file holds)."""
