"""Large histories of a key-value store, as columns: stretches of 100 operations on a key each; one get in the middle
lacks an append."""

from dataclasses import replace

import numpy as np

from benchmarks.ten_clients import columns, requests
from statelab.check.kernels.packing import paired
from statelab.record.columns import History

STRETCH = 100
OPS = ("put", "append", "get")


def history(n: int, rng: np.random.Generator, *, stretch: int = STRETCH) -> History:
    """Half of the operations are gets, one in 50 is a put, all others append; half of the unanswered took effect."""
    made = requests(n, rng)
    op = rng.choice(3, n, p=(0.02, 0.48, 0.5)).astype(np.int32)
    key = (np.arange(n) // stretch).astype(np.int32)
    effective = (op < 2) & (~made.silent | (rng.random(n) < 0.5))
    shown, written = op == 2, op < 2
    by_moment = np.lexsort((made.moment, key)).tolist()
    codes, values = _texts(by_moment, key.tolist(), op.tolist(), effective.tolist(), stretch)
    answered = shown & ~made.silent
    return columns(
        made,
        OPS,
        op=op,
        key=key,
        keys=tuple(f"k{i}" for i in range(int(key.max(initial=0)) + 1)),
        result=np.where(answered, codes, 0),
        has_result=answered,
        value=np.where(written, codes, 0),
        has_value=written,
        values=values,
    )


def _texts(
    by_moment: list[int], key: list[int], op: list[int], effective: list[bool], stretch: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    """By row, the number of what it wrote or was shown, and the texts by number."""
    codes, number, last, text = np.zeros(len(key), np.int64), dict[str, int](), -1, ""
    for row in by_moment:
        text, last = (text if key[row] == last else ""), key[row]
        token = text if op[row] == 2 else f"x {row % stretch} y"
        codes[row] = number.setdefault(token, len(number))
        if effective[row]:
            text = token if op[row] == 0 else text + token
    return codes, tuple(number)


def spoil(given: History) -> History:
    """Of the gets that show 5 tokens or more, and the same as another get of their key, the one in the middle lacks the
    token before the last: no two such texts can be those of one key, as each of its tokens was appended once."""
    assert given.values is not None
    texts = [str(value) for value in given.values]
    long = np.array([text.count("y") >= 5 for text in texts])
    gets = np.flatnonzero(given.has_result & long[given.result])
    _, told, times = np.unique(paired(given.key[gets], given.result[gets]), return_inverse=True, return_counts=True)
    gets = gets[times[told] > 1]
    row = gets[len(gets) // 2]
    parts = texts[given.result[row]].split("y")
    result = given.result.copy()
    result[row] = len(texts)
    return replace(given, result=result, values=(*texts, "y".join(parts[:-3] + parts[-2:])))
