"""Finds private lines: lines that touch nothing that another thread or request could see or change.

A private line reads and writes only local variables of its function. Before it runs, the exact type of each of them is
an immutable builtin (a number, a text, None). The line's bytecode has only the instructions below: on such values they
call no other code, allocate nothing that the garbage collector looks at, and jump only to other lines. So, to all other
code, a request held before such a line is in the same state as one held before the next line of the same function: one
of the two worlds is enough.
"""

from __future__ import annotations

import dis
import re
from types import CodeType, FrameType
from typing import Any

PLAIN = (int, float, complex, bool, str, type(None))
CONSTANTS = (*PLAIN, tuple, frozenset)
LOCALS = ("LOAD_FAST", "STORE_FAST")
MOVES = "RESUME NOP CACHE EXTENDED_ARG LOAD_CONST LOAD_SMALL_INT POP_TOP COPY SWAP DUP_TOP ROT_TWO ROT_THREE"
COMPUTES = "IS_OP COMPARE_OP CONTAINS_OP UNARY_NOT UNARY_NEGATIVE TO_BOOL"
JUMPS = re.compile("JUMP_(FORWARD|BACKWARD|ABSOLUTE)|POP_JUMP_(FORWARD_)?IF_(TRUE|FALSE|NONE|NOT_NONE)|NOT_TAKEN")
OLD_OPERATORS = re.compile("(BINARY|INPLACE)_(ADD|SUBTRACT|MULTIPLY)")  # until 3.10
ALLOWED = frozenset((*MOVES.split(), *COMPUTES.split()))
OPERATORS = frozenset(("+", "-", "*", "+=", "-=", "*="))


class Private:
    """Says which lines of any code are private; remembers the code that it has examined."""

    def __init__(self) -> None:
        self._lines: dict[CodeType, dict[int, frozenset[str]]] = {}

    def line(self, frame: FrameType) -> bool:
        """Whether the line that the frame is about to run is private."""
        code = frame.f_code
        if code not in self._lines:
            self._lines[code] = candidates(code)
        names = self._lines[code].get(frame.f_lineno)
        if names is None:
            return False
        values = frame.f_locals
        return all(type(values[name]) in PLAIN for name in names if name in values)


def candidates(code: CodeType) -> dict[int, frozenset[str]]:
    """The lines that have only allowed instructions, each with the local variables that it uses."""
    line_at: dict[int, int | None] = {}
    starts: set[int] = set()
    for start, end, line in code.co_lines() if hasattr(code, "co_lines") else ():  # 3.9 has none
        line_at.update(dict.fromkeys(range(start, end, 2), line))
        if line is not None:
            starts.add(start)
    names: dict[int, set[str]] = {}
    refused: set[int | None] = {None}
    instructions = list(dis.get_instructions(code))
    for number, instruction in enumerate(instructions):
        line = line_at.get(instruction.offset)
        if line is None:
            continue
        used = names.setdefault(line, set())
        following = [later.offset for later in instructions[number + 1 : number + 2]]
        if "JUMP" in instruction.opname:
            following.append(instruction.argval)
        # the next instruction must be of the same line, or the beginning of another line, where the tracer stops again
        leaves = [offset for offset in following if line_at.get(offset) != line and offset not in starts]
        if not _allowed(instruction, used) or leaves:
            refused.add(line)
    return {line: frozenset(used) for line, used in names.items() if line not in refused}


def _allowed(instruction: Any, used: set[str]) -> bool:
    """Whether the instruction is one of those allowed. Adds its local variables to `used`."""
    name = instruction.opname
    if name.startswith(LOCALS) and "CLEAR" not in name:
        found = instruction.argval
        used.update((found,) if isinstance(found, str) else found)
        return True
    if name == "LOAD_CONST":
        return _constant(instruction.argval)
    if name == "BINARY_OP":
        return instruction.argrepr in OPERATORS
    return name in ALLOWED or bool(JUMPS.fullmatch(name) or OLD_OPERATORS.fullmatch(name))


def _constant(value: Any) -> bool:
    return type(value) in CONSTANTS and (type(value) in PLAIN or all(map(_constant, value)))
