"""Finds the parts of a workload: the load, the judges and `repro` each have one file of its name."""

from importlib import import_module
from types import ModuleType

from statelab.core.errors import BadInput


def part_of(workload: str, package: str, *names: str) -> ModuleType:
    """The workload's module in a package (empty: the load's folder, `loadtests/`).

    Raises BadInput naming the file that is missing, or which of `names` is missing in it.
    """
    name = workload.replace("-", "_")
    path = f"{'src/' + package.replace('.', '/') if package else 'loadtests'}/{name}.py"
    module_name = f"{package}.{name}" if package else name
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name:
            raise
        wanted = " and ".join(f"`{wanted}`" for wanted in names)
        raise BadInput(f"the workload {workload} is not complete: {path} with {wanted} is missing") from None
    for wanted in names:
        if not hasattr(module, wanted):
            raise BadInput(f"the workload {workload} is not complete: {path} has no `{wanted}`")
    return module
