"""Histories as people have them: files of other tools, and of our own operations in another dress.

In: any file, or standard input. Out: a `Reading`: the history, the model that judges it, and what it was read as.
`read` tells the format by the file's content. One file a format, one line each in `formats`: to add a format is one
file and one line. Formats of events give them to `pairing`, and `meaning` says which of our operations they are.
Imports `record`.
"""
