"""A plan for a hundred thousand people has to fit into memory: what each of them adds is counted."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Literal, TypeVar

import pytest

from tests.engine.companies import Company, desired, person, settings
from wxsync.engine.decide import Decision
from wxsync.engine.drift_notes import noted
from wxsync.mirror.documents import LONGEST_PLAIN, packed, unpacked
from wxsync.model.plan import digest_of
from wxsync.report.as_json import plan_text

PEOPLE = 3000
T = TypeVar("T")
Method = Literal["single", "batch"]


def weighed(work: Callable[[], T]) -> tuple[T, float, float]:
    """What the work gives, and how many bytes a person it took: what is left of them, and at most."""
    tracemalloc.start()
    try:
        made = work()
        left, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return made, left / PEOPLE, most / PEOPLE


def first_load(method: Method) -> Callable[[], Decision]:
    people = [
        person(f"E{number}", mobile=f"138{number:08d}", email=f"e{number}@example.com", position="工程师")
        for number in range(PEOPLE)
    ]
    company, wanted = Company(), desired(people)
    sync = settings({"method": method})
    return lambda: company.decide(wanted, sync)


@pytest.mark.parametrize(("method", "most_left", "most_at_once"), [("single", 450, 600), ("batch", 500, 700)])
def test_deciding_a_first_load_takes_a_few_hundred_bytes_a_person(
    method: Method, most_left: int, most_at_once: int
):
    """A creation is told by the wanted member, and what units have in common is one object."""
    decision, left, most = weighed(first_load(method))
    assert len(decision.plan.writes) == PEOPLE
    assert left < most_left
    assert most < most_at_once


def test_what_hands_did_is_looked_for_without_a_list_of_all_that_is_written():
    """A first load writes ten fields a person, and no hand had a part in any of them."""
    decision = first_load("batch")()
    notes, _, most = weighed(lambda: noted(decision))
    assert notes == []
    assert most < 10


def test_a_plan_is_put_on_record_piece_by_piece():
    """Its document is never there as a whole: not as text, and not as a tree."""
    plan = first_load("single")().plan
    kept, left, most = weighed(lambda: packed(plan_text(plan)))
    assert len(unpacked(kept)) > 600 * PEOPLE
    assert left < 100
    assert most < left + 3 * LONGEST_PLAIN / PEOPLE


def test_the_digest_is_worked_out_change_by_change():
    """It takes no memory to speak of."""
    plan = first_load("single")().plan
    digest, _, most = weighed(lambda: digest_of(plan.sync, plan.corp_id, plan.writes))
    assert digest == plan.digest
    assert most < 20
