"""Keeps freed memory in the process: to get a page from the system again costs more than most work on that page.

This matters most in a virtual machine, whose host may have to find the page first: there it takes ten times as long to
fill a new array of 80 MB as one in memory that the process already had.
"""

import ctypes
from collections.abc import Callable
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4  # of malloc.h
_KEPT, _LARGE, _MOST_MAPPED = 2**31 - 1, 2**24, 2**16


@cache
def _mallopt() -> Callable[[int, int], int]:
    """The function of glibc; with another malloc, one that does nothing."""
    try:
        mallopt: Callable[[int, int], int] = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return lambda parameter, value: 0
    return mallopt


def keep_freed(*, large: bool = False) -> None:
    """Makes malloc keep freed memory, up to 2 GiB, for later arrays.

    Blocks above 16 MiB are given back at once, so that the peak of memory does not grow; with `large` they are kept as
    well: that is faster, and takes up to a quarter more memory, because what is kept has gaps.
    """
    mallopt = _mallopt()
    mallopt(_TRIM_THRESHOLD, _KEPT)
    mallopt(_MMAP_THRESHOLD, _LARGE)
    mallopt(_MMAP_MAX, 0 if large else _MOST_MAPPED)
