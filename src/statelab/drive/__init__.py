"""The load: runs every cell with Locust, and sends single requests for everything else.

In: cells and running servers. Out: recordings in the run folder. Imports `deploy`, `record` and `theory`.
"""
