"""The last stage: results in, and one set of rows out as terminal text, Markdown, one HTML page, CSV and JSON.

Nothing is measured or judged here; the input is a `Results` value and nothing else.
"""
