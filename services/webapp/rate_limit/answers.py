"""The answers, and the length of the time window."""

from typing import Literal

Answer = Literal["ok", "refused"]

HOUR = 3600
"""Seconds. The window begins with the first request, so that a cell sees one window only."""
