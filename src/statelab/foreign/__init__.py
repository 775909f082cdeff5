"""Histories as people have them: files of other tools, and our own operations in other forms of JSON.

In: any file, or standard input. Out: a `Reading`: the history, the model that judges it, and what it was read as.
`read` tells the format by the content. A new format is one file and one line of the table in `formats`. The reader of a
format gives events, from which `pairing` makes operations that `meaning` translates, or our own operations as JSON.
Imports `record`.
"""
