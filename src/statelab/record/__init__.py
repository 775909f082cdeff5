"""Histories on disk and in memory: columns, Parquet, JSON Lines, and the folder of a run.

In: recordings of the load, or anybody's file. Out: a `History`, or one sentence that says what is wrong with the file.
Imports `plan`.
"""
