"""The cache that the whole app imports, as the Flask-Caching answers tell people to lay it out.

`counter/flask_caching_filesystem.py` registers it with the app.
"""

from flask_caching import Cache

# Instantiate the cache
cache = Cache()
