"""`python services/servers`: what deployments mean, for programs that do not import this package.

Reads a JSON list of environments (objects of texts, as in the env files) from standard input and writes a JSON list
of answers in the same order: the fields of `Spread`, the server's package and whether it inherits a socket, or
`{"refused": sentence}`.
"""

import json
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parent.parent)

import servers  # noqa: E402


def answer(environment: dict[str, str]) -> dict[str, object]:
    try:
        server = servers.find(environment.get("SERVER"))
        servers.refuse_unknown(server, environment)
        spread = servers.placed(server, environment)
    except servers.BadSetting as error:
        return {"refused": str(error)}
    about = {"package": getattr(server, "PACKAGE", None), "inherits_socket": getattr(server, "INHERITS_SOCKET", True)}
    return spread._asdict() | about


json.dump([answer(environment) for environment in json.load(sys.stdin)], sys.stdout)
