"""The types that every other folder uses: operations, results, paths, errors.

In: nothing. Out: types and constants. Imports no other folder of the project. The load (loadtests/) imports this
folder, and for its web UI also `plan` and `repro.live`.
"""
