"""Work that must be done once: requests that are sent twice, work at the start of an app, scheduled jobs."""

from typing import Protocol

from webapp.arguments import word
from webapp.claims import Claims
from webapp.window import Window
from webapp.workload import Workload


class Once(Protocol):
    """What a mechanism's module has. The effect is one call of `ledger.note`, which does not itself prevent a second
    call."""

    CLAIMS: Claims

    def execute(self, key: str, window: Window, op_id: str, body: str) -> str:
        """Makes sure that a piece of work is done, and returns its name: the client's own (`op_id`), or the name of
        work on which all requests of a `key` rely. Raises Refused if the `op_id` was used with another body."""

    def read(self, key: str) -> list[str]:
        """The ledger of the key: each effect with the process that had it, and when."""


ONCE = Workload(
    name="once",
    promise="a request that is sent again, work at the start and a scheduled job take effect once, and do take effect",
    operations={"execute": False, "read": True},
    arguments={"execute": {"op_id": word, "body": word}},
    windows=("io",),
    shows={fault: "ran-n-times" for fault in ("never-persists", "divergent", "lost-update")}
    | {"never-done": "never-ran", "stalled": "stalled"},
    table={
        # a request that is sent again
        "idempotency-dict": "idempotency_dict",
        "idempotency-redis-naive": "idempotency_redis_naive",
        "idempotency-redis-set-nx": "idempotency_redis_set_nx",
        "idempotency-postgres-unique": "idempotency_postgres_unique",
        # work at the start
        "lazy-init": "lazy_init",
        "lazy-init-file-lock": "lazy_init_file_lock",
        "lazy-init-redis-lock": "lazy_init_redis_lock",
        # scheduled jobs
        "apscheduler-add-job": "apscheduler_add_job",
        "apscheduler-every-worker": "apscheduler_every_worker",
        "apscheduler-leader-file": "apscheduler_leader_file",
        "uwsgi-spooler": "uwsgi_spooler",
        "apscheduler-leader": "apscheduler_leader",
        "apscheduler-leader-postgres": "apscheduler_leader_postgres",
    },
)
