"""How much there is of what is given away; the judges know it, too."""

STOCK = 2
"""On the shelf of each article."""

LIMIT = 2
"""Requests in an hour in each name."""
