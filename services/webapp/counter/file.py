"""A file: `read_text`, then `write_text`.

People believe that a file is safe because all processes see it; the last writer wins, and a reader may find it empty.
"""

from webapp.claims import BLOCKING, HOST, NOTHING, Claims
from webapp.settings import SETTINGS
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=NOTHING, switches_inside=BLOCKING, survives="server", medium="file")


def increment(key: str, window: Window) -> int:
    value = read(key)
    window()
    (SETTINGS.state_dir / key).write_text(str(value + 1))
    return value + 1


def read(key: str) -> int:
    path = SETTINGS.state_dir / key
    return int(path.read_text() or 0) if path.exists() else 0
