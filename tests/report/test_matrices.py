"""The headline matrices have an order of their own, no gaps, and one window each."""

from statelab.core.results import Coverage, Results
from statelab.report.content.matrices import Matrix, matrices_of
from statelab.report.content.rows import Row

from .cells import cell, results
from .sample import DEPLOYMENTS, KINDS, sample


def matrices(given: Results) -> list[Matrix]:
    return matrices_of(given.manifest, [Row(cell) for cell in given.cells])


def test_each_window_has_a_matrix_of_its_own() -> None:
    """Results of different windows are never pooled; the widest comes first."""
    found = matrices(sample())
    assert [matrix.window for matrix in found] == ["io", "yield", "tight"]
    assert all(row.cell.window == matrix.window for matrix in found for line in matrix.lines for row in line.rows)


def test_the_manifest_orders_rows_and_columns() -> None:
    """Groups are those of the manifest, in its order."""
    matrix = matrices(sample())[0]
    assert [deployment.name for deployment in matrix.deployments] == [d["name"] for d in DEPLOYMENTS]
    assert [line.mechanism.name for line in matrix.lines] == [kind.name for kind in KINDS]
    assert [group.name for group in matrix.groups] == ["request", "thread", "process", "host", "cluster"]


def test_a_cell_without_a_result_is_shown_as_not_run() -> None:
    """A place in a matrix is never blank."""
    matrix = matrices(results(cell(), cell(mechanism="file", deployment="gevent")))[0]
    assert [[row.state.name for row in line.rows] for line in matrix.lines] == [
        ["held", "not-run"],
        ["not-run", "held"],
    ]


def test_a_mechanism_that_was_not_asked_for_in_a_window_has_no_row_there() -> None:
    """Only in-process mechanisms are tried with the tight window."""
    tight = matrices(results(cell(), cell(mechanism="module-global", window="tight")))[1]
    assert [line.mechanism.name for line in tight.lines] == ["module-global"]


def test_coverage_is_the_worst_of_the_column() -> None:
    """The fewest processes that answered, of those expected; a fork for each request expects no number."""
    poor = Coverage(processes=2, expected_processes=4, threads=2, greenlets=0, overlaps=1)
    forked = Coverage(processes=1_200, expected_processes=None, threads=1, greenlets=0, overlaps=9)
    matrix = matrices(
        results(
            cell(),
            cell(mechanism="file", coverage=poor),
            cell(deployment="dev-processes", coverage=forked),
            cell(deployment="gevent", coverage=None),
        )
    )[0]
    assert matrix.coverage == ["2/4", "1,200 new", "–"]


def test_results_without_any_manifest_can_be_shown() -> None:
    """Every key of a manifest is optional."""
    matrix = matrices(results(cell()))[0]
    assert (matrix.deployments[0].name, matrix.lines[0].mechanism.name) == ("sync-4", "redis-incr")
    assert matrices(results()) == []
