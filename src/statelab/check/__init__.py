"""The verdict: history in, verdict and smallest proof out.

`kernels` are what the checkers share, `models` decide a history, `judges` name what a workload's clients saw, `assess`
judges a whole run folder, `file` one file of `statelab check`, `dataset` a folder of parts that need not fit into
memory (`parts`: looked at, `shuffle`: put together by key, `partition`: judged). No server is touched. Imports `record` and `theory`.
"""
