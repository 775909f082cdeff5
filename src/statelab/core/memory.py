"""Keeps freed memory in the process: getting a page from the system again costs more than most work on that page.

This matters most in a virtual machine, whose host may have to find the page first. There, filling a new array of 80 MB
takes ten times as long as filling one in memory that the process already had.
"""

import ctypes
from collections.abc import Callable
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4  # from malloc.h
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

    Blocks above 16 MiB are given back at once, so that peak memory does not grow. With `large` they are kept as well:
    that is faster, but takes up to a quarter more memory, because the kept memory has gaps.
    """
    mallopt = _mallopt()
    mallopt(_TRIM_THRESHOLD, _KEPT)
    mallopt(_MMAP_THRESHOLD, _LARGE)
    mallopt(_MMAP_MAX, 0 if large else _MOST_MAPPED)
