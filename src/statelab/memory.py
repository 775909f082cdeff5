"""Freed memory stays with the process: to take a page anew costs more than most of what is done with it."""

import ctypes
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of malloc.h
_LARGEST_GAP, _LARGEST_BLOCK = 2**28, 2**24


@cache
def keep_freed() -> None:
    """Has glibc's malloc keep what is freed, for the arrays to come; where there is another malloc, nothing happens.

    Larger blocks than that are given back, so that the most memory that is taken does not grow.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_TRIM_THRESHOLD, _LARGEST_GAP)
    mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)
