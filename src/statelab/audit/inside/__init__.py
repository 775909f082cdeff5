"""The part that runs in the interpreter of the audited app: it imports the app, forks worlds from it and serves
requests.

Standard library only, CPython 3.9 and newer, because the app's environment may have nothing else. Loaded under a
private name (`start.py`), so that an app may have any name.
"""
