"""What `statelab check` says of one file: read, judged, and described as text and as JSON."""

from typing import Any

import msgspec

from statelab.check.json_lines import as_lines
from statelab.check.kernels.model import Deadline, Finding, Model, VerdictName
from statelab.check.kernels.scope import scope
from statelab.check.kernels.words import span
from statelab.check.models import MODELS
from statelab.core.errors import BadInput, counted, require_known
from statelab.core.operation import Unit, Value
from statelab.foreign.read import read
from statelab.foreign.source import name_of
from statelab.record.columns import History

EXIT_CODES: dict[VerdictName, int] = {"held": 0, "violated": 1, "unknown": 3}
BAD_INPUT = 2

_WORSE = (0, 3, 1, 2)
"""Exit codes, each worse than the one before it."""

MOST_KEYS = 20
"""How many violated keys are named; the others are only counted."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of one file; one JSON object of `--json`.

    `witness` are the operations of the proof in interchange form, `violated_keys` names at most 20 of the keys that
    are violated, and `violated` says how many there are. `slack` is by how much clocks would have to be wrong, in
    `unit`: a unit of time, "event" where the stamps are places in the order of events, null where it is not known.
    `read_as` says which format of other tools it was, None for our own lines and tables.
    `cut_short`: the time for the proof ended, the witness is the smallest found, and its slack is not known.
    `undecided` counts the keys whose search ended before the answer while others are violated.
    `widened`: the intervals are as wide as the clocks of several machines were uncertain, and slack is beyond that.
    """

    file: str
    model: str
    verdict: VerdictName
    reason: str
    operations: int
    keys: int
    read_as: str | None = None
    violated: int = 0
    violated_keys: list[str] = []
    anomaly: str | None = None
    proof: str | None = None
    slack: int | None = None
    unit: Unit | None = None
    cut_short: bool = False
    undecided: int = 0
    widened: bool = False
    witness: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    scope: str | None = None
    parts: dict[str, dict[str, Any]] = {}


def find_model(name: str) -> Model:
    """The model of that name; raises BadInput that names the known ones."""
    require_known("model", [name], list(MODELS))
    return MODELS[name]


def initial_of(model: Model, text: str | None) -> Value | None:
    """The initial value that the command line names, or the model's own; raises BadInput where it cannot be one."""
    if text is None:
        if model.needs_initial:
            raise BadInput(f"the model {model.name} needs --initial: {model.initial_words}")
        return model.initial
    if model.initial_kind is None:
        raise BadInput(f"the model {model.name} has no initial value: leave --initial out")
    try:
        value: int | None = int(text)
    except ValueError:
        value = None
    if value is not None and not -(2**63) <= value < 2**63:
        value = None
    if model.initial_kind == "text":
        return text
    too_low = value is not None and model.least_initial is not None and value < model.least_initial
    if too_low or (value is None and model.initial_kind == "integer"):
        raise BadInput(f"--initial {text!r} is not {model.initial_words}")
    return text if value is None else value


PROOF_S = 2.0
"""How long a proof is made smaller, in seconds, unless it is said otherwise."""


def check_file(
    source: str,
    model_name: str | None,
    initial_text: str | None,
    limit_s: float | None,
    proof_s: float = PROOF_S,
    unit: Unit | None = None,
) -> Verdict:
    """Reads and judges one file (`-`: standard input); raises BadInput for what is not a history of the model.

    Without a model it is the one that the operations are of. `unit` is that of the stamps, if the person names it.
    """
    reading = read(source, MODELS, model_name, unit)
    history, model = reading.history, MODELS[reading.model]
    initial = initial_of(model, initial_text)
    deadline = Deadline.after(float("inf") if limit_s is None else limit_s, proof_s)
    finding = model.check(history, initial=initial, deadline=deadline)
    reach = None
    if finding.verdict == "violated" and model.scoped:
        reach = scope(model, history, initial=initial, deadline=deadline).sentence
    return describe(source, history, model, finding, reach, reading.how)


def describe(
    source: str, history: History, model: Model, finding: Finding, reach: str | None = None, how: str | None = None
) -> Verdict:
    """The finding, and how far the state reaches, as values that text and JSON show."""
    violated = [history.keys[code] for code in finding.violated_keys[:MOST_KEYS]]
    proof = finding.proof
    return Verdict(
        file=name_of(source),
        model=model.name,
        verdict=finding.verdict,
        reason=finding.reason,
        operations=len(history),
        keys=len(history.keys),
        read_as=how,
        violated=len(finding.violated_keys),
        violated_keys=violated,
        anomaly=proof.kind if proof else None,
        proof=proof.text if proof else None,
        slack=proof.slack_ns if proof else None,
        unit=history.unit,
        cut_short=proof.cut_short if proof else False,
        undecided=finding.undecided,
        widened=history.widened,
        witness=_witness(history, finding),
        counts=dict(finding.counts),
        scope=reach,
        parts={name: _part(history, part) for name, part in finding.parts.items()},
    )


def _witness(history: History, finding: Finding) -> list[dict[str, Any]]:
    rows = finding.proof.rows if finding.proof else ()
    return [msgspec.json.decode(line) for line in as_lines(history, rows)]


def _part(history: History, part: Finding) -> dict[str, Any]:
    """The verdict of one promise of several, with its own proof."""
    return {
        "verdict": part.verdict,
        "reason": part.reason,
        "proof": part.proof.text if part.proof else None,
        "witness": _witness(history, part),
    }


def line(verdict: Verdict) -> str:
    """The verdict line: file, verdict, and why."""
    parts = "; ".join(f"{name} {part['verdict']}" for name, part in verdict.parts.items())
    many = (
        f" on {counted(verdict.violated, 'key')} of {verdict.keys:,}" if verdict.violated and verdict.keys > 1 else ""
    )
    size = f"read as {verdict.read_as}" if verdict.read_as else counted(verdict.operations, "operation")
    why = f"{verdict.anomaly}{many}: {verdict.reason}" if verdict.anomaly else verdict.reason
    return f"{verdict.file}: {verdict.verdict}: {why}{f' ({parts})' if parts else ''} [{verdict.model}, {size}]"


def details(verdict: Verdict) -> list[str]:
    """What follows the verdict line of a single file: the proof, its operations, the slack, the counts, the scope."""
    lines = [f"proof: {verdict.proof}"] if verdict.proof else []
    lines += [f"witness: {msgspec.json.encode(operation).decode()}" for operation in verdict.witness]
    if verdict.cut_short:
        lines.append(
            "smallest found: the time for the proof ended (--proof-time, or --time-limit for all), and there may be a "
            "smaller one; slack unknown"
        )
    elif verdict.slack is not None:
        beyond = "beyond the bounds by which the intervals are widened, " if verdict.widened else ""
        lines.append(f"slack: {beyond}{_slack(verdict.slack, verdict.unit)}")
    elif verdict.proof:
        lines.append("slack: none; the proof needs no clock")
    if verdict.undecided:
        lines.append(
            f"undecided: {counted(verdict.undecided, 'other key')}, whose search ended before the answer; there may be "
            "more violations and a smaller proof"
        )
    if verdict.counts:
        lines.append(f"counted: {', '.join(f'{count:,} {word}' for word, count in verdict.counts.items())}")
    if verdict.scope:
        lines.append(f"scope: {verdict.scope}")
    for name, part in verdict.parts.items():
        lines.append(f"{name}: {part['verdict']}: {part['proof'] or part['reason']}")
        lines += [f"  witness: {msgspec.json.encode(operation).decode()}" for operation in part["witness"]]
    return lines


def _slack(slack: int, unit: Unit | None) -> str:
    if unit == "event":
        return f"{span(slack, unit)}; the file has no clock, only the order of the events"
    of = "; --unit says what the stamps count" if unit is None else ""
    return f"the clocks would have to be wrong by more than {span(slack, unit)}{of}"


def worst(codes: list[int]) -> int:
    """The exit code of several files: bad input, else violated, else unknown, else held."""
    return max(codes, key=_WORSE.index, default=0)
