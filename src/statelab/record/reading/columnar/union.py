"""The texts of several parts over one dictionary.

Parts are coded each over a dictionary of its own, by several threads. To make one dictionary of theirs, one hash table
would have to take in all texts, far more of them than fit into a cache. But most stand in one part only, and of which
that is certain is told from numbers: equal texts have equal prints, so what has a print of its own is like no other.
The few that are left go to the hash table.
"""

from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

from statelab.record.columns import Codes
from statelab.record.columns import Integers
from statelab.record.columns import Mask
from statelab.record.reading.columnar.ordered import in_order

pa: Any = pyarrow  # it has no annotations
pc: Any = pyarrow.compute

Prints = NDArray[np.uint64]

MOST_BYTES = 2**31 - 1
"""So much text fits into one Arrow array."""

_MANY = 2**16
_WORD = 8
_WORDS = 5
"""Words of a text, counted from its end, that its print depends on: all of a UUID."""

_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, and 2^64 by the golden ratio: it spreads out what is close together
_FOLD = np.uint64(29)
_SHARE_BITS, _SLOT_BITS = 4, 20


def coded(texts: Any) -> Any:
    """Plain texts as one dictionary-coded array; texts are in the order in which they come."""
    if isinstance(texts, pa.Array) and len(texts) <= _MANY:
        return texts.dictionary_encode()
    return union(list(in_order(lambda part: part.dictionary_encode(), _parts(texts))))


def union(parts: Sequence[Any]) -> Any:
    """Dictionary-coded arrays (`dictionary<int32, string>`, at least one) as one array, one after the other; texts are
    in the order in which they come."""
    dictionaries = [part.dictionary for part in parts]
    texts = pa.chunked_array(dictionaries)
    if len(texts) <= _MANY or texts.nbytes > MOST_BYTES:
        return pa.chunked_array(parts).unify_dictionaries().combine_chunks()
    number, kept = _numbers(texts)
    numbers = np.split(number, np.cumsum([len(dictionary) for dictionary in dictionaries])[:-1])
    codes = np.concatenate([_codes(part, own) for part, own in zip(parts, numbers, strict=True)])
    indices = pa.array(codes, mask=codes < 0 if any(part.null_count for part in parts) else None)
    different = texts if kept.all() else texts.filter(pa.array(kept))
    return pa.DictionaryArray.from_arrays(indices, different.combine_chunks(), safe=False)


def _numbers(texts: Any) -> tuple[Codes, Mask]:
    """The number of each text, equal for equal ones and dense, and where one stands first."""
    again = perhaps_again(texts)
    codes = np.asarray(texts.take(pa.array(again)).combine_chunks().dictionary_encode().indices)
    first = again[np.unique(codes, return_index=True)[1]]
    kept = np.ones(len(texts), np.bool_)
    kept[again] = False
    kept[first] = True
    number = np.cumsum(kept, dtype=np.int32) - np.int32(1)
    number[again] = number[first][codes]
    return number, kept


def _codes(part: Any, numbers: Codes) -> Codes:
    """For each text of a part the number of what it is in the part's dictionary; -1 for null."""
    if not part.null_count:
        return numbers.take(np.asarray(part.indices))
    return np.append(numbers, np.int32(-1)).take(np.asarray(pc.fill_null(part.indices, len(numbers))))


def all_different(texts: Any) -> bool:
    """Whether no text of an Arrow array without null stands twice."""
    again = perhaps_again(texts)
    different: int = pc.count_distinct(texts.take(pa.array(again))).as_py()
    return different == len(again)


def perhaps_again(texts: Any) -> Integers:
    """Places of texts that may stand more than once: all that do and, unless there are few texts, few others. O(n).

    `texts` is an Arrow array, in one piece or in several, without null. Each share of the prints is looked at alone:
    tables for all at once would be far larger than a cache.
    """
    if len(texts) <= _MANY:
        return np.arange(len(texts))
    prints = np.concatenate(list(in_order(_prints, _parts(texts))))
    share = (prints >> np.uint64(64 - _SHARE_BITS)).astype(np.uint8)
    shares = in_order(lambda one: _not_alone(prints, np.flatnonzero(share == one)), range(2**_SHARE_BITS))
    return np.sort(np.concatenate(list(shares)))


def _not_alone(prints: Prints, places: Integers) -> Integers:
    """Those of some places whose print has company in each of three tables, by bits of its own each."""
    for shift in (0, 20, 40):
        slots = np.uint64(2 ** min(len(places).bit_length() + 2, _SLOT_BITS) - 1)
        slot = (prints[places] >> np.uint64(shift) & slots).view(np.int64)
        places = places[np.bincount(slot).take(slot) > 1]
    return places


def _parts(texts: Any) -> Iterator[Any]:
    """Texts by so many as a processor's cache takes."""
    for piece in texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]:
        for begin in range(0, max(len(piece), 1), _MANY):
            yield piece.slice(begin, _MANY)


def _prints(texts: Any) -> Prints:
    """A number for each text of an Arrow array; that of equal texts is equal, and of others most often another."""
    if not len(texts):
        return np.zeros(0, np.uint64)
    offsets, content = texts.buffers()[1:]
    stop = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    end = stop[1:] - stop[0]
    length = np.diff(end, prepend=0)
    words = _words(np.frombuffer(content, np.uint8)[stop[0] : stop[-1]] if end[-1] else np.zeros(0, np.uint8))
    prints: Prints = length.astype(np.uint64)
    for before in range(0, min(_WORD * _WORDS, int(length.max())), _WORD):
        outside = np.clip(_WORD - (length - before), 0, _WORD)  # so much of the word is of the text above
        word = words[np.maximum(end - before, 0)] >> (8 * outside).astype(np.uint64)
        mixed = (prints ^ word) * _FACTOR
        mixed ^= mixed >> _FOLD
        prints = np.where(outside < _WORD, mixed, prints)
    return prints


def _words(content: NDArray[np.uint8]) -> Prints:
    """For each place from 0 to the end, the eight bytes before it as one number, the last of them highest."""
    padded = np.concatenate((np.zeros(_WORD, np.uint8), content))
    words: Prints = np.ndarray((len(content) + 1,), np.dtype("<u8"), padded.data, 0, (1,))
    return words
