"""Freed memory stays with the process: to take a page anew costs more than most of what is done with it.

Above all in a virtual machine, whose host may have to find the page first: there an array of 80 MB that is new takes
ten times as long to fill as one of which the process had the memory before.
"""

import ctypes
from collections.abc import Callable
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4  # of malloc.h
_KEPT, _LARGE, _MOST_MAPPED = 2**31 - 1, 2**24, 2**16


@cache
def _mallopt() -> Callable[[int, int], int]:
    """That of glibc; where there is another malloc, one that does nothing."""
    try:
        mallopt: Callable[[int, int], int] = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return lambda parameter, value: 0
    return mallopt


def keep_freed(*, large: bool = False) -> None:
    """Has malloc keep what is freed, up to 2 GiB, for the arrays to come.

    Blocks above 16 MiB are given back at once, so that the most memory that is taken does not grow; with `large` they
    are kept as well: that is faster, and takes up to a quarter more, for what is kept has gaps.
    """
    mallopt = _mallopt()
    mallopt(_TRIM_THRESHOLD, _KEPT)
    mallopt(_MMAP_THRESHOLD, _LARGE)
    mallopt(_MMAP_MAX, 0 if large else _MOST_MAPPED)
