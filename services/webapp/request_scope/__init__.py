"""What a request stores about itself, such as its user: it reads that back, and finds nothing of other requests."""

from typing import Protocol

from webapp import arguments
from webapp.claims import Claims
from webapp.window import Window
from webapp.workload import Workload


class RequestScope(Protocol):
    """What a mechanism's module has."""

    CLAIMS: Claims

    def echo(self, key: str, window: Window, value: str) -> str:
        """Stores `value` about this request; after the window, answers what is stored there then."""

    def find(self, key: str, value: str) -> str:
        """Answers what this request finds although it has stored nothing; `value` if there is nothing."""


REQUEST_SCOPE = Workload(
    name="request-scope",
    promise="what a request stores about itself it reads back, and it finds nothing that another request stored",
    operations={"echo": False, "find": True},
    arguments={"echo": {"value": arguments.word}, "find": {"value": arguments.word}},
    windows=("io",),
    shows={"seen-by-others": "leak-overlap", "left-behind": "leak-residue"},
    table={
        # request
        "flask-g": "flask_g",
        # thread
        "flask-g-lasting-context": "flask_g_lasting_context",
        "context-var": "context_var",
        "thread-local": "thread_local",
        # process
        "module-global": "module_global",
        "app-attribute": "app_attribute",
        "flask-caching-page": "flask_caching_page",
    },
)
