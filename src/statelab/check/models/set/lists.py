"""Whole-set reads of a grow-only set side by side: is each list a list of a set, and does each contain the smaller?"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from statelab.check.kernels import order
from statelab.check.kernels.packing import arranged, paired
from statelab.check.models.set.evidence import Evidence, Listed
from statelab.record.columns import INF, Integers, Mask


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Whether the lists of each key form a chain by inclusion, and where each element comes in.

    `twice` are reads that list an element twice (with `repeats` superfluous places in all), `forks` pairs of reads
    neither of which contains the other, next to each other by size: arrays of read numbers, shape `(k,)` and `(k, 2)`.
    `size[e]` is that of the smallest list with element e, INF where none has it.
    """

    listed: Listed
    twice: NDArray[np.intp]
    repeats: int
    forks: NDArray[np.intp]
    size: Integers


def chain(evidence: Evidence) -> Chain:
    """Compares all lists. Linear in their total length, and a sort of the elements; a broken chain takes a sort more.

    Number the elements of a key by the size of the smallest list that has them. The lists form a chain iff each list
    of size z consists of the first z elements; a flag per place in the lists tells.
    """
    listed = evidence.listed
    size = _smallest(listed, len(evidence.asked))
    if not len(listed.row) or not _broken(listed, evidence.key, size).any():
        return Chain(listed, np.zeros(0, np.intp), 0, np.zeros((0, 2), np.intp), size)
    # Either a list has an element twice or two lists are a fork: compare the lists with each element once.
    by_element = arranged(listed.read, listed.element)
    read, element = listed.read[by_element], listed.element[by_element]
    again = np.zeros(len(read), np.bool_)
    again[1:] = (read[1:] == read[:-1]) & (element[1:] == element[:-1])
    fewer = listed.size - np.bincount(read[again], minlength=len(listed.row))
    distinct = replace(listed, size=fewer, read=read[~again], element=element[~again])
    size = _smallest(distinct, len(evidence.asked))
    broken = np.unique(listed.key[_broken(distinct, evidence.key, size)])
    repeats = int(np.count_nonzero(again))
    return Chain(distinct, np.unique(read[again]), repeats, _forks(distinct, broken), size)


def _smallest(listed: Listed, elements: int) -> Integers:
    size = np.full(elements, INF)
    np.minimum.at(size, listed.element, listed.size[listed.read])
    return size


def _broken(listed: Listed, key: Integers, size: Integers) -> Mask:
    """By read, whether its list differs from the first elements of its key, as many as it has."""
    elements = np.flatnonzero(size != INF)
    elements = elements[np.argsort(paired(key[elements], size[elements]), kind="stable")]
    place = np.empty(len(size), np.int64)
    begin = np.maximum.accumulate(np.where(order.begins(key[elements]), np.arange(len(elements)), 0))
    place[elements] = np.arange(len(elements)) - begin
    first = np.concatenate(([0], np.cumsum(listed.size)))
    inside = np.flatnonzero(place[listed.element] < listed.size[listed.read])
    flags = np.zeros(first[-1], np.bool_)
    flags[first[listed.read[inside]] + place[listed.element[inside]]] = True
    full = np.concatenate(([0], np.cumsum(flags)))
    return np.diff(full[first]) < listed.size


def _forks(listed: Listed, keys: Integers) -> NDArray[np.intp]:
    """In those keys, every read and the next larger one that does not contain it.

    The next larger one does not lie inside the smaller one then, or they would be equal.
    """
    if not len(keys):
        return np.zeros((0, 2), np.intp)
    by_size = arranged(listed.key, listed.size)
    place = np.empty(len(by_size), np.int64)
    place[by_size] = np.arange(len(by_size))
    last = np.append(np.diff(listed.key[by_size]) != 0, True)
    chosen = np.isin(listed.key[listed.read], keys)
    at, element = place[listed.read[chosen]], listed.element[chosen]
    width = int(element.max()) + 1
    here = np.sort(at * width + element)
    wanted = here[~last[here // width]] + width
    missing = wanted[here[np.minimum(np.searchsorted(here, wanted), len(here) - 1)] != wanted] // width
    smaller = np.unique(missing) - 1
    return np.stack((by_size[smaller], by_size[smaller + 1]), axis=1)


@dataclass(frozen=True, slots=True)
class Swapped:
    """Two elements that came in one order by the lists and in the other by the clock.

    A read lists `first` and not `second`; `second` was in the set `slack_ns` before `first` can have come in.
    """

    first: int
    second: int
    slack_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class Swaps:
    """The worst pair, and how many elements of which keys were in the set too early for their place in the chain."""

    worst: Swapped
    count: int
    keys: Integers


def swaps(evidence: Evidence, found: Chain, earliest: Integers, apart: Mask | None = None) -> Swaps | None:
    """LEMMA ORDER on the elements of each key, in the order in which the lists gained them. O(elements log elements).

    `earliest` is by element the first moment at which it can have come in; elements of `apart` are left out.
    """
    if not len(found.listed.row):
        return None
    keys = np.setdiff1d(found.listed.key, found.listed.key[found.forks.ravel()])
    known = np.isin(evidence.key, keys) & (evidence.asked != INF)
    known &= (found.size != INF) | (evidence.present != INF)
    known &= True if apart is None else ~apart
    elements = np.flatnonzero(known)
    if not len(elements):
        return None
    never = int(found.listed.size.max()) + 1
    rank = paired(evidence.key[elements], np.minimum(found.size[elements], never))
    by_rank = np.argsort(rank, kind="stable")
    elements, rank = elements[by_rank], rank[by_rank]
    key, start, end = evidence.key[elements], earliest[elements], evidence.present[elements]
    begins = order.begins(key)
    offset = order.lift(np.flatnonzero(begins), start, end)[np.cumsum(begins) - 1]
    start, end = start + offset, np.where(end == INF, INF, end + offset)
    slacks = order.slack(rank, start, end)
    if not slacks.any():
        return None
    pair = order.worst(rank, start, end, slacks)
    worst = Swapped(int(elements[pair.earlier]), int(elements[pair.later]), pair.slack_ns)
    return Swaps(worst, int(np.count_nonzero(slacks)), np.unique(key[slacks > 0]))
