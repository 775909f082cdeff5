"""medallion, a TAXII server, with its backend in memory."""

import os

from medallion import load_app

app = load_app(os.path.join(os.path.dirname(__file__), "medallion.json"))
