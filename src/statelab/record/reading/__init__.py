"""Anybody's history: JSON Lines or Parquet into columns, strictly, and what is wrong in one line.

A file is read whole or not at all. Fields that an operation does not have are ignored, whatever they hold.
"""

from statelab.record.reading.read import read

__all__ = ["read"]
