"""The verdict: history in, verdict and smallest proof out.

`kernels` are what the checkers share, `models` decide a history, `judges` name what a workload's clients saw, `assess`
judges a whole run folder, `file` one file of `statelab check`, `dataset` a folder of parts that need not fit into
memory: `parts` looks at it, `shuffle` puts the rows of a key together, `partition` judges some keys. No server is
touched. Imports `record` and `theory`.
"""
