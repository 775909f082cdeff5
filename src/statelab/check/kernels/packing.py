"""Two keys in one int64: sorting by a packed pair is several times faster than `np.lexsort` (5 to 10 times at 1e7)."""

import numpy as np
from numpy.typing import NDArray

from statelab.record.columns import Codes, Integers

_LARGEST = 2**62
_FEW = 2**16


def dense(codes: Integers) -> Integers:
    """The same order in the numbers 0, 1, 2, ...: each code's place among the different ones.

    O(n) if the codes lie close together, else O(n log n).
    """
    least = int(codes.min(initial=0))
    width = int(codes.max(initial=0)) - least + 1
    if width > 4 * len(codes):
        return np.unique(codes, return_inverse=True)[1].astype(np.int64)
    there = np.zeros(width, np.bool_)
    there[codes - least] = True
    place: Integers = np.cumsum(there)[codes - least] - 1
    return place


def fits(high: Integers | Codes, low: Integers) -> bool:
    """Whether `paired` is cheap: all pairs of a number up to the highest and one of the range fit into an int64."""
    width = int(low.max(initial=0)) - int(low.min(initial=0)) + 1
    return (int(high.max(initial=0)) + 1) * width < _LARGEST


def paired(high: Integers | Codes, low: Integers) -> Integers:
    """One int64 per row that sorts as (high, low) and is equal where both are; `high` are numbers from 0 on.

    O(n), or O(n log n) where the pair does not fit (see `fits`) and both have to be made dense first.
    """
    if not len(low) or not high.max():
        return low
    if not fits(high, low):
        low, high = dense(low), dense(high.astype(np.int64))
    least, width = int(low.min()), int(low.max()) - int(low.min()) + 1
    code: Integers = high.astype(np.int64)
    code *= width
    code += low
    code -= least
    return code


def arranged(group: Integers | Codes, time: Integers) -> NDArray[np.intp]:
    """The rows sorted by (group, time), equal ones as they stand; groups are numbers from 0 on. O(n log n)."""
    n = len(time)
    rows = None if (time[1:] >= time[:-1]).all() else np.argsort(time, kind="stable")
    if not n or not group.max():
        return np.arange(n) if rows is None else rows
    if int(group.max()) < _FEW:
        by_group = np.argsort((group if rows is None else group[rows]).astype(np.uint16), kind="stable")  # O(n)
        return by_group if rows is None else rows[by_group]
    bits = n.bit_length()
    if int(group.max()) >= _LARGEST >> bits:
        group = dense(group.astype(np.int64))
    places = (group if rows is None else group[rows]).astype(np.int64) << bits
    places |= np.arange(n)
    places.sort()
    places &= (1 << bits) - 1
    return places if rows is None else rows[places]


def differences(later: Integers | np.int64, earlier: Integers | np.int64) -> Integers:
    """`later - earlier`, held at the ends of an int64 where it does not fit; one of the two is an array."""
    found: Integers = np.subtract(later, earlier)
    wrapped = ((later ^ earlier) & (later ^ found)) < 0
    found[wrapped] = np.where(found[wrapped] < 0, np.iinfo(np.int64).max, np.iinfo(np.int64).min)
    return found


def spans(start: Integers, end: Integers) -> NDArray[np.uint64]:
    """How long each interval is, in ns; right for any two stamps, also where the difference exceeds an int64."""
    return np.subtract(end, start).view(np.uint64)
