"""What a request is told, and the length of the window of time."""

from typing import Literal

Answer = Literal["ok", "refused"]

HOUR = 3600
"""Seconds. The window begins with the first request, so that a cell sees one window only."""
