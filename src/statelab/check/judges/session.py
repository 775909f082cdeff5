"""The judge of browsers' sessions: whose data was shown, who was forgotten, what came back, whether all counts count.

Each login has a key, and the key ends with the user who logs in. Answers are texts: the user whom the app took the
request for and, for `count` and `read`, the value of that user's counter (`b0-1 17`); null: nobody. For one login
- `wrong-user`: an answer names another user;
- `logged-out`: after the login had been acknowledged, and before any logout was asked for, `whoami` answered nobody;
- `logout-undone`: the logout was acknowledged, and a request that started after that was answered for its user;
- `lost-update`: the model `counter` cannot explain the values of one user's counter, whoever was told them.
A logout of unknown outcome may have ended the session, and is never taken as acknowledged; a refused one is neither.
Each witness is minimal: one answer, two operations in order, or the model's own. Stamps decide order only where one
operation had ended before the other started.
"""

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace

import msgspec
import numpy as np

from statelab.check.judges.judgement import Expectation
from statelab.check.judges.judgement import Judgement
from statelab.check.judges.judgement import not_reached
from statelab.check.judges.judgement import unjudged
from statelab.check.judges.judgement import violated
from statelab.check.judges.witness import stall
from statelab.check.judges.witness import witness
from statelab.check.kernels.pairs import apart
from statelab.check.kernels.words import Cast
from statelab.check.kernels.words import plural
from statelab.check.models.counter.model import judged_one_way
from statelab.check.models.counter.words import UP
from statelab.core.operation import Operation
from statelab.core.results import Witness
from statelab.record.columns import INFO
from statelab.record.columns import OK
from statelab.record.columns import History
from statelab.record.columns import Integers

CHANGES = frozenset({"login", "count", "logout"})
AS_COUNTER = {"count": "increment", "read": "read"}
COUNTS = replace(UP, step="count")
"""The counter's proofs in the words of those who count."""


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """A history by login: `own` is the user who asked, `told` the one who was answered for ("": nobody), `value` the
    counter's (None: the answer has none), for each row."""

    history: History
    own: list[str]
    told: list[str]
    value: list[int | None]

    def rows(self, *ops: str, status: int = OK) -> Integers:
        """The rows of these operations that ended so."""
        known = [code for code, name in enumerate(self.history.ops) if name in ops]
        found: Integers = np.flatnonzero(np.isin(self.history.op, known) & (self.history.status == status))
        return found

    def by_login(self, rows: Integers) -> dict[int, Integers]:
        """The rows of each login, by the code of its key."""
        key = self.history.key[rows]
        return {int(code): rows[key == code] for code in np.unique(key)}

    def acknowledged(self) -> dict[int, int]:
        """For each login the first logout that was acknowledged to its user."""
        own = [row for row in self.rows("logout").tolist() if self.told[row] == self.own[row]]
        firsts = sorted(own, key=lambda row: int(self.history.end[row]), reverse=True)
        return {int(self.history.key[row]): row for row in firsts}


def read(history: History) -> Sessions:
    own, told, value = [], [], []
    for row in range(len(history)):
        user, _, number = str(history.operation(row).result or "").partition(" ")
        own.append(history.keys[history.key[row]].partition(".")[2])
        told.append(user)
        value.append(int(number) if number else None)
    return Sessions(history, own, told, value)


def wrong_user(sessions: Sessions) -> Witness | None:
    """The shortest answer that was another user's."""
    answered = sessions.rows("login", "count", "logout", "read", "whoami")
    wrong = [row for row in answered.tolist() if sessions.told[row] not in ("", sessions.own[row])]
    if not wrong:
        return None
    history = sessions.history
    row = min(wrong, key=lambda row: int(history.end[row] - history.start[row]))
    text = f"A came from the browser of {sessions.own[row]} and was answered for {sessions.told[row]}."
    return _witness(
        history,
        "wrong-user",
        [row],
        f"{text} {plural(len(wrong), 'answer')} {'was' if len(wrong) == 1 else 'were'} another user's.",
    )


def logged_out(sessions: Sessions) -> Witness | None:
    """The login, and the first answer after it that knew nobody although no logout had been asked for by then."""
    history = sessions.history
    logins = sessions.by_login(sessions.rows("login"))
    asked = sessions.by_login(np.concatenate([sessions.rows("logout", status=status) for status in (OK, INFO)]))
    found = []
    for key, rows in sessions.by_login(sessions.rows("whoami")).items():
        ended = min((int(history.start[row]) for row in asked.get(key, ())), default=None)
        for login in logins.get(key, ()):
            for row in rows.tolist():
                late = ended is not None and ended <= int(history.end[row])
                if sessions.told[row] == "" and int(history.end[login]) < int(history.start[row]) and not late:
                    found.append((int(login), row))
    if not found:
        return None
    pair = min(found, key=lambda rows: int(history.end[rows[1]] - history.start[rows[0]]))
    text = "A logged in, B asked who is logged in and was told nobody, and no logout had been asked for."
    return _witness(history, "logged-out", list(pair), text)


def logout_undone(sessions: Sessions) -> Witness | None:
    """The logout, and the first answer for its user to a request that started when it had ended."""
    history = sessions.history
    ends = sessions.acknowledged()
    found = [
        (ends[key], row)
        for key, rows in sessions.by_login(sessions.rows("count", "read", "whoami")).items()
        if key in ends
        for row in rows.tolist()
        if sessions.told[row] == sessions.own[row] and history.end[ends[key]] < history.start[row]
    ]
    if not found:
        return None
    pair = min(found, key=lambda rows: int(history.end[rows[1]] - history.start[rows[0]]))
    cast = Cast(history, pair)
    user = sessions.own[pair[0]]
    text = f"A logged {user} out, and B was answered for {user} again: {apart(history, cast, *cast.rows)}."
    return _witness(history, "logout-undone", list(pair), text)


def lost_update(sessions: Sessions) -> Witness | None:
    """The model's witness that one counter per user does not explain the values."""
    history = sessions.history
    rows = [row for row in sessions.rows("count", "read").tolist() if sessions.value[row] is not None]
    rows += sessions.rows("count", status=INFO).tolist()
    counters = History.from_operations([_of_counter(sessions, row) for row in rows])
    finding = judged_one_way(counters, 0, COUNTS)
    if finding.proof is None:
        return None
    places = [rows[place] for place in finding.proof.rows]
    return witness(history, "lost-update", places, finding.proof.text, slack_ns=finding.proof.slack_ns)


def _of_counter(sessions: Sessions, row: int) -> Operation:
    """The operation as one of the counter of whom it was answered for; without an answer, of who asked."""
    operation = sessions.history.operation(row)
    return msgspec.structs.replace(
        operation,
        op=AS_COUNTER[operation.op],
        key=sessions.told[row] or sessions.own[row],
        result=sessions.value[row],
    )


def _witness(history: History, anomaly: str, rows: list[int], text: str) -> Witness:
    return witness(history, anomaly, rows, f"{text} {Cast(history, rows).introductions()}")


FINDINGS: tuple[Callable[[Sessions], Witness | None], ...] = (lost_update, wrong_user, logged_out, logout_undone)


def _found(sessions: Sessions) -> Iterator[Witness]:
    yield from (found for find in FINDINGS if (found := find(sessions)))
    if sessions.history.timed_out.any():
        yield stall(sessions.history)


def judge(history: History, expectation: Expectation) -> Judgement:
    """A violation is proof whatever the coverage; an error of this judge is `unknown`."""
    expectation = replace(expectation, changes=CHANGES)
    measured = unjudged(history, expectation)
    try:
        sessions = read(history)
        found = {one.anomaly: one for one in _found(sessions)}
    except Exception as error:
        return msgspec.structs.replace(measured, reason=f"the checker stopped: {type(error).__name__}: {error}")
    if found:
        return violated(measured, found)
    if short := _not_tried(sessions) or not_reached(history, expectation, measured.coverage):
        return msgspec.structs.replace(measured, verdict="not-exercised", reason=short)
    done, pairs = plural(measured.operations.ok, "operation"), plural(measured.coverage.overlaps, "pair")
    reason = f"every answer was its own user's, and what had ended stayed so ({done}; {pairs} of operations overlapped)"
    return msgspec.structs.replace(measured, verdict="held", reason=reason)


def _not_tried(sessions: Sessions) -> str | None:
    """What of the promise no operation tried."""
    if not len(sessions.rows("count")):
        return "no count was acknowledged"
    history, ends = sessions.history, sessions.acknowledged()
    asked = sessions.by_login(sessions.rows("whoami"))
    tried = (history.start[rows].max() > history.end[ends[key]] for key, rows in asked.items() if key in ends)
    return None if any(tried) else "nobody asked who is logged in after an acknowledged logout"
