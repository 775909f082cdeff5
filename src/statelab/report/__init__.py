"""The last stage: shows results as terminal text, Markdown, one HTML page, CSV and JSON, all from the same rows.

`content` says what is shown, `formats` how, `timeline` draws proofs, `docs` writes the pages of docs/ that follow from
the code. Nothing is measured or judged here. Imports `theory` and `plan`.
"""
