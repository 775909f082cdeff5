"""Work on parts of a file by several threads, with the results in the order of the parts."""

import os
from collections import deque
from collections.abc import Callable
from collections.abc import Generator
from collections.abc import Iterable
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")

_MOST_THREADS = 4


def ahead(parts: Iterable[Part]) -> Generator[Part, None, None]:
    """The same parts; while one is in use, a thread makes the next. Close it: then that thread has ended."""
    source = iter(parts)
    with ThreadPoolExecutor(1) as reader:
        following = reader.submit(next, source, None)
        while (part := following.result()) is not None:
            following = reader.submit(next, source, None)
            yield part


def in_order(work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
    """`work` of each part; only a few parts and results are in memory at a time. Raises what `work` raises."""
    threads = min(os.cpu_count() or 1, _MOST_THREADS)
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Result]] = deque()
        for part in parts:
            waiting.append(pool.submit(work, part))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
