"""What a user types: in a checkout a target of its Makefile, with a wheel the program itself."""

from importlib.util import find_spec

from statelab import __version__
from statelab.core.errors import BadInput
from statelab.core.paths import IN_CHECKOUT


def called(target: str) -> str:
    """How a user calls a command that is also a target of the Makefile."""
    return f"`make {target}`" if IN_CHECKOUT else f"`statelab {target}`"


ENGINE_LOCAL = "ENGINE=local" if IN_CHECKOUT else "`--engine local`"
STANDARD = "PROFILE=standard" if IN_CHECKOUT else "`--profile standard`"
EVERYTHING = f"`make report {STANDARD}`" if IN_CHECKOUT else "`statelab run --profile standard`"
MAKE_ENGINE = "`make engine`" if IN_CHECKOUT else "`make engine` of a checkout"
WITH_THE_LAB = (
    "`make setup` installs it"
    if IN_CHECKOUT
    else f"it comes with the wheel's extra `lab`, as in `pip install 'statelab-{__version__}-py3-none-any.whl[lab]'`"
)


def require_locust() -> None:
    """Raises BadInput, saying what to do, if Locust is not installed."""
    if find_spec("locust") is None:
        raise BadInput(f"Locust, which makes the load, is not installed: {WITH_THE_LAB}")
