"""The judge of the workload `session`: another user's data, users logged out, logouts undone, counts lost.

Each login has a key, and the key ends with the user who logs in. An answer is a text: the user whom the app took the
request for and, for `count` and `read`, the value of that user's counter (`b0-1 17`); null means that the app knew no
user. For one login
- `wrong-user`: an answer names another user;
- `logged-out`: after the login had been acknowledged, and before any logout was sent, `whoami` found nobody logged in;
- `logout-undone`: a request that started after the logout had been acknowledged was answered for the user;
- `lost-update`: the model `counter` cannot explain the values of one user's counter, whoever was told them.
A logout of unknown outcome may have ended the session, but does not count as acknowledged; a logout that was refused
counts as not sent. Each witness is minimal: one answer, two operations in order, or the model's own witness. One
operation counts as before another only if it had ended before the other started.
"""

from collections.abc import Callable
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
from statelab.core.results import Witness
from statelab.record.columns import INFO
from statelab.record.columns import OK
from statelab.record.columns import History
from statelab.record.columns import Integers

CHANGES = frozenset({"login", "count", "logout"})
AS_COUNTER = {"count": "increment", "read": "read"}
COUNTS = replace(UP, step="count")
"""The words of the counter's proofs, with `count` for `increment`."""


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """A history and, for each row, `own`: the user who sent the request; `told`: the user whom the answer names
    ("": nobody); `value`: the counter's value (None: the answer has none)."""

    history: History
    own: list[str]
    told: list[str]
    value: list[int | None]

    def rows(self, *ops: str, status: int = OK) -> Integers:
        """The rows of these operations that ended with `status`."""
        known = [code for code, name in enumerate(self.history.ops) if name in ops]
        found: Integers = np.flatnonzero(np.isin(self.history.op, known) & (self.history.status == status))
        return found

    def by_login(self, rows: Integers) -> dict[int, Integers]:
        """The rows of each login, by the code of its key."""
        key = self.history.key[rows]
        return {int(code): rows[key == code] for code in np.unique(key)}

    def acknowledged(self) -> dict[int, int]:
        """For each login, the first logout that was acknowledged and names its user."""
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
    """The request with the shortest duration that was answered with another user's data."""
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
    """A login, and a `whoami` after it that found nobody although no logout had been sent by then: the closest pair."""
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
    text = "A logged in, B asked who is logged in and was told nobody, and no logout had been sent."
    return _witness(history, "logged-out", list(pair), text)


def logout_undone(sessions: Sessions) -> Witness | None:
    """A logout, and a request that started after it and was answered for the same user: the closest pair."""
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
    counters = []
    for row in rows:
        operation = history.operation(row)
        # the counter is that of the user whom the answer names; without an answer, of the user who asked
        user, value = sessions.told[row] or sessions.own[row], sessions.value[row]
        counters.append(msgspec.structs.replace(operation, op=AS_COUNTER[operation.op], key=user, result=value))
    finding = judged_one_way(History.from_operations(counters), 0, COUNTS)
    if finding.proof is None:
        return None
    places = [rows[place] for place in finding.proof.rows]
    return witness(history, "lost-update", places, finding.proof.text, slack_ns=finding.proof.slack_ns)


def _witness(history: History, anomaly: str, rows: list[int], text: str) -> Witness:
    return witness(history, anomaly, rows, f"{text} {Cast(history, rows).introductions()}")


FINDINGS: tuple[Callable[[Sessions], Witness | None], ...] = (lost_update, wrong_user, logged_out, logout_undone)


def judge(history: History, expectation: Expectation) -> Judgement:
    """A violation is proof whatever the coverage; an error of this judge is `unknown`."""
    expectation = replace(expectation, changes=CHANGES)
    measured = unjudged(history, expectation)
    try:
        sessions = read(history)
        found = {one.anomaly: one for find in FINDINGS if (one := find(sessions))}
        if history.timed_out.any():
            found["stalled"] = stall(history)
    except Exception as error:
        return msgspec.structs.replace(measured, reason=f"the checker stopped: {type(error).__name__}: {error}")
    if found:
        return violated(measured, found)
    if short := _untested(sessions) or not_reached(history, expectation, measured.coverage):
        return msgspec.structs.replace(measured, verdict="not-exercised", reason=short)
    done, pairs = plural(measured.operations.ok, "operation"), plural(measured.coverage.overlaps, "pair")
    reason = f"every answer was for the right user, and no logout was undone ({done}; {pairs} of operations overlapped)"
    return msgspec.structs.replace(measured, verdict="held", reason=reason)


def _untested(sessions: Sessions) -> str | None:
    """The part of the promise that no operation put to the test; None if every part was tested."""
    if not len(sessions.rows("count")):
        return "no count was acknowledged"
    history, ends = sessions.history, sessions.acknowledged()
    asked = sessions.by_login(sessions.rows("whoami"))
    tried = (history.start[rows].max() > history.end[ends[key]] for key, rows in asked.items() if key in ends)
    return None if any(tried) else "nobody asked who is logged in after an acknowledged logout"
