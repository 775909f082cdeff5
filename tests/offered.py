"""What the lab's own app offers, asked for once: reading it starts an interpreter."""

from functools import cache

from statelab.plan.app import App
from statelab.plan.catalogue import Catalogue, of_app


@cache
def offered() -> Catalogue:
    return of_app(App())
