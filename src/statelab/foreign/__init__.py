"""Histories as people have them: files of other tools, and our own operations in other forms of JSON.

In: any file, or standard input. Out: a `Reading`: the history, the model that judges it, and what it was read as.
`read` tells the format by the content. To add a format is one file and one line of the table in `formats`. What a
format finds are events, which `pairing` makes operations of and `meaning` translates, or our own operations as JSON.
Imports `record`.
"""
