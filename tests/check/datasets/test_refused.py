"""A dataset with something wrong in it is refused whole: the part is named, and nothing is judged."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow.parquet as pq
import pytest

from cli.test_check import Done, check
from parts_of_datasets import part


def write(start: int, value: int, **changes: Any) -> dict[str, Any]:
    usual = {"process": 1, "op": "write", "key": "k", "value": value, "start": start, "end": start + 5, "status": "ok"}
    return usual | changes


def stale(start: int) -> dict[str, Any]:
    """A read of the first value."""
    return {"process": 1, "op": "read", "key": "k", "result": 1, "start": start, "end": start + 5, "status": "ok"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two parts of a register that hold."""
    part(tmp_path / "d" / "a.parquet", write(0, 1), write(10, 2))
    part(tmp_path / "d" / "b.parquet", write(20, 3), write(30, 4))
    return tmp_path / "d"


def refused(folder: Path, *arguments: str) -> str:
    """What is said of the dataset, by text and by JSON; nothing of it was judged."""
    done = check(folder, "--model", "register", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    said = done.stderr.splitlines()[-1].removeprefix("statelab: ")
    shown = json.loads(check(folder, "--model", "register", "--json", *arguments).stdout)
    assert shown == {"file": str(folder), "model": "register", "error": said}
    return said


def test_the_parts_are_one_history(folder: Path) -> None:
    said = "held: one register explains all answers [register, read as 2 Parquet parts, 4 operations]"
    assert check(folder).stdout == f"{folder}: {said}\n"
    part(folder / "c.parquet", stale(40))
    assert check(folder).returncode == 1


def test_the_model_may_be_that_of_the_operations(folder: Path) -> None:
    """Without --model it is the first whose form the operations of all parts have: these name versions of a session."""
    version = {"process": 1, "op": "write", "start": 0, "end": 5, "status": "ok", "result": 7}
    part(folder / "a.parquet", version)
    part(folder / "b.parquet", {**version, "op": "read", "start": 10, "end": 15})
    assert "[session, read as 2 Parquet parts, 2 operations]" in check(folder).stdout
    part(folder / "c.parquet", {**version, "op": "buy", "start": 20, "end": 25})
    assert (
        check(folder).stderr.splitlines()[-1].startswith(f"statelab: {folder}: name the model with --model: counter,")
    )


def test_files_that_are_named_are_one_history_together(folder: Path, tmp_path: Path) -> None:
    """Each for itself they hold; the read is stale only beside the writes of the others."""
    part(tmp_path / "late.parquet", stale(40))
    named = [folder / "a.parquet", tmp_path / "late.parquet"]
    register = ["--model", "register", "--initial", "1"]
    assert check(*named, folder, *register).returncode == 0
    together = check(*named, folder / "b.parquet", "--together", *register)
    assert together.returncode == 1
    assert together.stdout.startswith(f"{folder / 'a.parquet'} and 2 more: violated: ")
    assert "read as 3 Parquet parts, 5 operations" in together.stdout
    assert check(folder, named[1], "--together", "--workers", "2", *register).returncode == 1
    twice = check(folder, *named, "--together")
    assert (twice.returncode, twice.stdout) == (2, "")
    assert twice.stderr.endswith(f"{named[0]} is named twice; it is one part of the history\n")
    assert "standard input is not" in check(folder, "-", "--together").stderr


def test_notes_of_other_tools_are_no_parts(folder: Path) -> None:
    (folder / "_SUCCESS").write_text("")
    (folder / ".a.parquet.crc").write_text("")
    assert check(folder).returncode == 0


def test_a_part_that_ends_too_early(folder: Path) -> None:
    whole = (folder / "b.parquet").read_bytes()
    (folder / "b.parquet").write_bytes(whole[:-20])
    assert refused(folder).startswith(f"{folder}/b.parquet: not a whole Parquet file (")


def test_a_part_whose_data_are_damaged(folder: Path) -> None:
    """The footer is whole; that the rows are not is found before anything is judged."""
    table = pq.read_table(folder / "b.parquet")
    pq.write_table(table, folder / "b.parquet", compression="gzip")
    whole = bytearray((folder / "b.parquet").read_bytes())
    whole[8:60] = b"\xff" * 52
    (folder / "b.parquet").write_bytes(whole)
    assert refused(folder).startswith(f"{folder}/b.parquet: not a whole Parquet file")


def test_a_part_with_a_row_that_is_no_operation(folder: Path) -> None:
    part(folder / "b.parquet", write(20, 3), write(30, 4, end=None))
    assert refused(folder).startswith(f'{folder}/b.parquet, row 2: "end" of write (ok) is null')


def test_a_part_with_an_end_before_its_start(folder: Path) -> None:
    part(folder / "b.parquet", write(20, 3), write(30, 4, end=29))
    assert refused(folder) == f'{folder}/b.parquet, row 2: "end" is 29, before "start", 30'


def test_a_part_that_lacks_a_column(folder: Path) -> None:
    part(folder / "b.parquet", {"op": "write", "start": 1, "end": 2, "status": "ok", "value": 1})
    assert refused(folder) == f'{folder}/b.parquet: there is no column "process"'


def test_a_part_without_rows_says_nothing_and_a_dataset_without_any_is_refused(folder: Path) -> None:
    """Other tools write empty parts."""
    for name in ("a.parquet", "b.parquet"):
        pq.write_table(pq.read_table(folder / name).slice(0, 0), folder / name)
    assert refused(folder) == f"{folder}: no operations in it"
    part(folder / "c.parquet", write(40, 5))
    assert "[register, read as 3 Parquet parts, 1 operation]" in check(folder, "--model", "register").stdout


def test_formats_are_not_mixed(folder: Path) -> None:
    (folder / "c.jsonl").write_text(json.dumps(write(40, 5)) + "\n")
    assert refused(folder) == (
        f"{folder}/c.jsonl is not Parquet, and a.parquet beside it is; all parts of a dataset must be Parquet: "
        "statelab convert FILE -o part.parquet"
    )


def test_keys_of_another_type(folder: Path) -> None:
    """Both parts are named."""
    part(folder / "b.parquet", write(20, 3, key=7))
    said = f'"key" is a text in {folder}/a.parquet and an integer in {folder}/b.parquet; it must be one in all parts'
    assert refused(folder) == said


def test_stamps_of_another_unit(folder: Path) -> None:
    part(folder / "b.parquet", write(20, 3), unit="ms")
    assert refused(folder) == (
        f"the stamps count nothing known in {folder}/a.parquet and ms in {folder}/b.parquet; they must be of one unit "
        "in all parts"
    )


def test_stamps_with_fractions(folder: Path) -> None:
    for name in ("a.parquet", "b.parquet"):
        part(folder / name, {**write(20, 3), "start": 1.5, "end": 2.5})
    said = f"{folder}/a.parquet: stamps with fractions; statelab convert writes each part with whole ns"
    assert refused(folder) == said


def test_a_client_that_does_two_things_at_once_in_two_parts(folder: Path) -> None:
    part(folder / "b.parquet", write(12, 3, key="other"))
    assert refused(folder) == (
        f"{folder}/b.parquet, row 1: process 1 was not done with its operation of {folder}/a.parquet, row 2: [12, 17] "
        "overlaps with [10, 15], and a process does one operation at a time"
    )


def test_an_op_id_that_is_used_in_two_parts(folder: Path) -> None:
    part(folder / "a.parquet", write(0, 1, op_id="x"), write(10, 2, op_id="y"))
    part(folder / "b.parquet", write(20, 3, op_id="z"), write(30, 4, op_id="y"))
    assert refused(folder) == f'{folder}/b.parquet, row 2: the op_id "y" is that of {folder}/a.parquet, row 2 already'


def test_a_folder_in_the_folder(folder: Path) -> None:
    (folder / "more").mkdir()
    assert refused(folder) == f"{folder}/more is a folder inside of a dataset; its parts must be side by side"


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    assert refused(tmp_path / "d") == f"{tmp_path}/d: no Parquet parts in it"


def test_a_key_that_is_too_large_is_unknown_and_the_others_are_judged(tmp_path: Path) -> None:
    """It is named with its size, with what fits, and with the memory that is enough."""
    values = [write(10 * n, n, key="large", process=2) for n in range(200_000)]
    part(tmp_path / "d" / "a.parquet", *values)
    part(tmp_path / "d" / "b.parquet", write(0, 1), write(10, 2))
    done = check(tmp_path / "d", "--memory", "300MiB")
    assert done.returncode == 3
    assert (
        "unknown: the key 'large' alone is too large for a worker of 300MiB: it has 200,000 operations" in done.stdout
    )
    enough = done.stdout.split("--memory ")[1].split(" is enough")[0]
    assert check(tmp_path / "d", "--memory", enough).returncode == 0
    part(tmp_path / "d" / "c.parquet", stale(20))
    done = check(tmp_path / "d", "--memory", "300MiB")
    assert done.returncode == 1
    assert "undecided: 1 other key" in done.stdout


def test_too_little_memory_and_a_wrong_size(folder: Path) -> None:
    assert "--memory 100MiB: a worker needs 266MiB at least" in refused(folder, "--memory", "100MiB")
    assert "--memory 'much' is not a size such as 512MiB or 2GiB" in check(folder, "--memory", "much").stderr


def test_workers_of_a_file_that_is_not_parquet(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(write(40, 5)) + "\n")
    assert refused(tmp_path / "a.jsonl", "--workers", "1").startswith(f"{tmp_path}/a.jsonl is not Parquet; all parts")


def test_several_workers_without_dask(folder: Path) -> None:
    """One needs nothing; of several it is said how to get them."""
    with mock.patch.dict(sys.modules, {"distributed": None}):
        assert check(folder, "--workers", "1").returncode == 0
        said = refused(folder, "--workers", "2")
    assert said == "--workers 2 needs Dask: pip install 'statelab[cluster]'; --workers 1 needs nothing"


def test_a_disk_without_room(folder: Path) -> None:
    usage = shutil.disk_usage(folder)._replace(free=10)
    with mock.patch("shutil.disk_usage", return_value=usage):
        assert "the shuffle needs about 0.1MiB of disk for a while" in refused(folder)


def test_nothing_is_left_of_the_shuffle(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    done: Done = check(folder, "--temporary", tmp_path / "t")
    assert (done.returncode, list((tmp_path / "t").iterdir())) == (0, [])
