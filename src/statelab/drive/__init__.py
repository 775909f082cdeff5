"""The load: drives Locust through every cell of a run, and sends single requests for everything else.

In: cells and running servers. Out: recordings in the run folder. Imports `deploy`, `record` and `theory`.
"""
