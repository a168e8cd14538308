"""A file of which half is gone."""

from __future__ import annotations

import pytest

from tests.engine.companies import Company, desired, reading
from wxsync.engine.shrinking import refuse_halved_files
from wxsync.errors import IncompleteReadError


def refused(
    query: str, before: int | None, rows: int, *, is_file: bool = True, is_complete: bool = True
) -> bool:
    """Whether so many rows of a query are refused where there were so many."""
    wanted = desired(readings=(reading(query, rows, is_file=is_file, is_complete=is_complete),))
    remembered = Company().remembered(baselines={} if before is None else {("hr", query): before})
    try:
        refuse_halved_files(wanted, remembered)
    except IncompleteReadError:
        return True
    return False


def test_the_refusal_says_what_is_missing_and_what_lifts_it() -> None:
    """Another name of the source, and no approval."""
    wanted = desired(readings=(reading("members", 4, is_file=True),))
    with pytest.raises(IncompleteReadError) as caught:
        refuse_halved_files(wanted, Company().remembered(baselines={("hr", "members"): 9}))
    assert caught.value.message == (
        "source hr: the members file gives 4 rows, less than half of the 9 of when it was last applied"
    )
    assert "give the source another name" in str(caught.value.hint)


@pytest.mark.parametrize("query", ["members", "departments"])
@pytest.mark.parametrize(
    ("before", "rows", "is_refused"),
    [(9, 4, True), (9, 5, False), (8, 4, False), (8, 3, True), (3, 1, True), (2, 1, False), (1, 0, True)],
)
def test_less_than_half_of_the_people_or_departments_is_refused(
    query: str, before: int, rows: int, is_refused: bool
) -> None:
    """However few they are: four of nine people is half a small company."""
    assert refused(query, before, rows) is is_refused


@pytest.mark.parametrize("query", ["memberships", "tags"])
@pytest.mark.parametrize(
    ("before", "rows", "is_refused"),
    [(5, 0, False), (6, 1, False), (6, 0, True), (9, 4, False), (11, 5, True), (12, 6, False)],
)
def test_of_a_short_list_of_places_five_rows_may_go(
    query: str, before: int, rows: int, is_refused: bool
) -> None:
    """Half of a few tags is nothing; the limits see to those."""
    assert refused(query, before, rows) is is_refused


def test_a_reading_that_is_not_whole_is_judged_too() -> None:
    """The cut that is noticed, and the one that is not."""
    assert refused("members", 80, 20, is_complete=False)


def test_what_is_no_file_and_what_was_never_applied_is_not_judged() -> None:
    """A database says itself how much it has; a first file has nothing to be held against."""
    assert not refused("members", 80, 20, is_file=False)
    assert not refused("members", None, 1)
    assert not refused("members", 80, 81)
