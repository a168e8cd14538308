"""Departments are built, renamed and moved in an order that WeCom accepts, whatever the trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.companies import ROOT, Company, desired, unit
from wxsync.engine.decide import Decision
from wxsync.model.change import Change, Kind, Verb


class StrictTree:
    """WeCom's rules for departments (60008, 60010, 60004, 60006), by key and nothing else."""

    def __init__(self, company: Company) -> None:
        self.nodes: dict[str, tuple[str | int, Any]] = {
            key: (each.parent, each.name) for key, (_, each) in company.departments.items()
        }

    def do(self, change: Change) -> None:
        key = str(change.key)
        if change.verb is Verb.DELETE:
            assert not [child for child, (parent, _) in self.nodes.items() if parent == key]
            del self.nodes[key]
            return
        parent: Any
        parent, name = self.nodes.get(key, (ROOT, None))
        if "parent" in change.fields:
            parent = change.fields["parent"].after
        if "name" in change.fields:
            name = change.fields["name"].after
        assert parent == ROOT or parent in self.nodes, f"{key}: its parent {parent} is not there"
        assert not self._is_below(parent, key), f"{key}: moved below itself"
        clash = [other for other, place in self.nodes.items() if place == (parent, name) and other != key]
        assert not clash, f"{key}: {clash} has the name {name} under {parent}"
        self.nodes[key] = (parent, name)

    def _is_below(self, ref: str | int, key: str) -> bool:
        while isinstance(ref, str):
            if ref == key:
                return True
            ref = self.nodes[ref][0]
        return False


def carry_out(company: Company, decision: Decision) -> Mapping[str, tuple[str | int, Any]]:
    tree = StrictTree(company)
    for change in decision.plan.writes:
        if change.kind is Kind.DEPARTMENT:
            tree.do(change)
    return tree.nodes


def test_siblings_that_swap_names_need_one_temporary_name() -> None:
    """Two siblings that swap names: one gives way under a temporary name, both end as wanted."""
    company = Company()
    company.department("A", name="甲")
    company.department("B", name="乙")

    decision = company.decide(desired(departments=[unit("A", name="乙"), unit("B", name="甲")]))

    assert carry_out(company, decision) == {"A": (ROOT, "乙"), "B": (ROOT, "甲")}
    assert sum(change.is_temporary for change in decision.plan.writes) == 1
    assert decision.plan.summary[Kind.DEPARTMENT][Verb.UPDATE] == 2


def test_a_chain_of_renames_needs_no_temporary_name() -> None:
    """A takes B's name while B takes a free one: B goes first, and nothing temporary is written."""
    company = Company()
    company.department("A", name="甲")
    company.department("B", name="乙")

    decision = company.decide(desired(departments=[unit("A", name="乙"), unit("B", name="丙")]))

    assert carry_out(company, decision) == {"A": (ROOT, "乙"), "B": (ROOT, "丙")}
    assert [change.key for change in decision.plan.writes] == ["B", "A"]


def test_a_subtree_moves_under_its_own_former_child() -> None:
    """A above B becomes B above A: the child is moved out first, so there is never a loop."""
    company = Company()
    company.department("A")
    company.department("B", "A")

    decision = company.decide(desired(departments=[unit("B"), unit("A", "B")]))

    assert carry_out(company, decision) == {"A": ("B", "部门A"), "B": (ROOT, "部门B")}


def test_a_new_department_takes_the_name_of_a_dropped_one() -> None:
    """The dropped one gives its name up before it is deleted at the end."""
    company = Company()
    company.department("OLD", name="研发")

    decision = company.decide(desired(departments=[unit("NEW", name="研发")]))

    assert carry_out(company, decision) == {"NEW": (ROOT, "研发")}
    assert [change.verb for change in decision.plan.writes] == [Verb.UPDATE, Verb.CREATE, Verb.DELETE]
    assert decision.plan.writes[0].is_temporary


def test_names_that_wander_through_a_thousand_siblings() -> None:
    """However long the chain of names, it is carried out, and no recursion limit is met."""
    company = Company()
    for number in range(1500):
        company.department(f"D{number}", name=f"N{number}")

    wanted = [unit(f"D{number}", name=f"N{number + 1}") for number in range(1500)]
    nodes = carry_out(company, company.decide(desired(departments=wanted)))

    assert nodes == {each.key: (ROOT, each.name) for each in wanted}


KEYS = [f"K{number}" for number in range(7)]


@st.composite
def trees(draw: st.DrawFn) -> list[tuple[str, str | int, str]]:
    """(key, parent, name) without loops and without two siblings of one name."""
    chosen = draw(st.permutations(draw(st.lists(st.sampled_from(KEYS), unique=True))))
    rows: list[tuple[str, str | int, str]] = []
    for place, key in enumerate(chosen):
        parents: list[str | int] = [ROOT, *chosen[:place]]
        parent = draw(st.sampled_from(parents))
        free = [name for name in "甲乙丙丁戊己庚" if (parent, name) not in {row[1:] for row in rows}]
        rows.append((key, parent, draw(st.sampled_from(free))))
    return rows


@settings(max_examples=400, deadline=None)
@given(before=trees(), after=trees())
def test_any_tree_becomes_any_other(
    before: list[tuple[str, str | int, str]], after: list[tuple[str, str | int, str]]
) -> None:
    """Every step is one that WeCom accepts, and at the end the tree is exactly the wanted one."""
    company = Company()
    for key, parent, name in before:
        company.department(key, parent, name)

    decision = company.decide(desired(departments=[unit(*row) for row in after]))

    assert carry_out(company, decision) == {key: (parent, name) for key, parent, name in after}


def test_two_of_one_name_trade_places() -> None:
    """Each moves to where the other stands, under the same name: one gives way, both end as wanted."""
    company = Company()
    company.department("P")
    company.department("A", "P", name="行政")
    company.department("B", name="行政")

    decision = company.decide(
        desired(departments=[unit("P"), unit("B", "P", name="行政"), unit("A", name="行政")])
    )

    assert carry_out(company, decision)["A"] == (ROOT, "行政")
    assert carry_out(company, decision)["B"] == ("P", "行政")


def test_a_department_moves_below_a_grandchild_that_does_not_move() -> None:
    """What leads out of the subtree goes first, though the new parent itself does not change."""
    company = Company()
    company.department("A")
    company.department("B", "A")
    company.department("C", "B")

    decision = company.decide(desired(departments=[unit("A", "C"), unit("B"), unit("C", "B")]))

    assert carry_out(company, decision)["A"] == ("C", "部门A")
