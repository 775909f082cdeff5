"""What runs in the interpreter of the audited app: it imports the app, forks worlds from it and serves requests there.

Standard library only, CPython 3.9 and newer: nothing may be asked of the app's environment. Loaded under a name of its
own (`start.py`), so that an app may be called what it likes.
"""
