"""An audit's settings in a file: `[audit]` of statelab.toml, or `[tool.statelab.audit]` of the app's pyproject.toml.

In: the app's folder. Out: a `Config`. An unknown key is refused, and so are two files that both have the table.
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from statelab.core.errors import BadInput
from statelab.plan import own_file

Reason = Annotated[str, msgspec.Meta(min_length=1)]

FIRST = """\
# What `statelab audit` does in this folder. The command line overrides this file.
[audit]
app = "{app}"                   # module:attribute, or a factory as "module:create_app()"
# stories = ["stories/*.http"]     # requests to try, as .http or HAR files; without any, the app's rules are tried
# reset = "shop.testing:reset"     # called before each world, for what neither memory nor this folder holds
# allow = ["127.0.0.1:9000"]       # connections that are not refused
# packages = ["shop_core"]         # installed packages whose lines and places are the app's own, beside this folder

[audit.bounds]
# jobs = 4                         # worlds played side by side
# limit_s = 10                     # seconds that a request may take
# most_steps = 150                 # lines of a request at which it is held
# interruptions = 1                # how often two requests interrupt each other in one world, at most 3

[audit.stores]                     # variables that the app reads, and a store of the lab for each
# REDIS_URL = "redis"              # or "memcached", "postgres"

[audit.ignore]                     # where answers may differ (* stands for anything), and why
# "body/generated_at" = "the time of the answer"

[audit.accept]                     # findings that are known, and why they stay; others still fail
# "divergent: POST /jobs, GET /jobs: shop.jobs" = "moves to the database in spring"
"""


class Bounds(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Limits of the search. None: the audit chooses."""

    jobs: Annotated[int, msgspec.Meta(ge=1, le=64)] | None = None
    limit_s: Annotated[float, msgspec.Meta(gt=0, le=600)] = 10.0
    most_steps: Annotated[int, msgspec.Meta(ge=1)] = 150
    interruptions: Annotated[int, msgspec.Meta(ge=1, le=3)] = 1


class Config(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The settings. `ignore` maps patterns of pointers to reasons, `accept` keys of findings to reasons, and `stores`
    variables that the app reads to the store that is started for each."""

    app: str | None = None
    stories: tuple[str, ...] = ()
    reset: Annotated[str, msgspec.Meta(pattern=r"^[\w.]+:[\w.]+$")] | None = None
    allow: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    stores: dict[str, Literal["redis", "memcached", "postgres"]] = {}
    bounds: Bounds = Bounds()
    ignore: dict[str, Reason] = {}
    accept: dict[str, Reason] = {}


def load(folder: Path, file: Path | None = None) -> Config:
    """The settings in `file`, or in the folder's file, or the defaults; raises BadInput with the file and the key."""
    found = own_file.table(folder, "audit", file)
    if found is None:
        return Config()
    path, table = found
    try:
        config = msgspec.convert(table, Config)
    except msgspec.ValidationError as error:
        what, key = own_file.misfit(error)
        where = f", {key.lstrip('.')}" if key else ""
        raise BadInput(f"{path}: the audit's table{where}: {what}") from None
    stories: list[str] = []
    for pattern in config.stories:
        matched = sorted(map(str, path.parent.glob(pattern))) if not Path(pattern).is_absolute() else [pattern]
        if not matched:
            raise BadInput(f"{path}: stories: {pattern!r} names no file in {path.parent}")
        stories += matched
    return msgspec.structs.replace(config, stories=tuple(stories))


def begin(folder: Path, app: str | None) -> Path:
    """Writes a first settings file with comments; raises BadInput if there is one already."""
    path = folder / own_file.NAME
    if path.exists() or load(folder) != Config():
        raise BadInput(f"{path if path.exists() else folder / 'pyproject.toml'} already configures this folder")
    path.write_text(FIRST.format(app=app or "app:app"))
    return path
