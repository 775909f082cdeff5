"""The cache that the whole app imports, laid out as answers about Flask-Caching advise.

`counter/flask_caching_filesystem.py` registers it with the app.
"""

from flask_caching import Cache

# Instantiate the cache
cache = Cache()
