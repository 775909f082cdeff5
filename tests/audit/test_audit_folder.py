"""The copy of the app's folder that worlds work in."""

from pathlib import Path

from statelab.audit.folder import Folder


def test_environments_are_left_out(tmp_path: Path) -> None:
    """An environment of Python is not copied, whatever its folder is called; a package of the app is."""
    for name in ("app/py311/pyvenv.cfg", "app/py311/lib/big.py", "app/shop/py311.py", "app/.venv/lib/other.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "root").mkdir()
    copy = Folder(tmp_path / "root", tmp_path / "app").app
    assert [path.relative_to(copy) for path in copy.rglob("*") if path.is_file()] == [Path("shop/py311.py")]
