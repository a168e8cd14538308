"""The departments as one tree."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.sources.rows import rules_of
from wxsync.model.change import Kind, Rejected
from wxsync.model.message import say
from wxsync.model.unknown import UNKNOWN
from wxsync.sources.departments import DepartmentRow
from wxsync.sources.tree import DEEPEST, Tree, grow

ROOT = 1


def row(
    key: str,
    parent: str | None = None,
    name: str | None = None,
    *,
    ref: str | None = None,
    is_root: bool = False,
    rejected: tuple[Rejected, ...] = (),
) -> DepartmentRow:
    return DepartmentRow(
        key=key,
        ref=ref or key,
        parent=parent,
        name=name or f"部门{key}",
        order=UNKNOWN,
        is_root=is_root,
        rejected=rejected,
    )


def broken(key: str, parent: str | None = None) -> DepartmentRow:
    """A row whose own fields are at fault already."""
    reject = Rejected(kind=Kind.DEPARTMENT, key=key, field="name", rule="length", problem=say("x"))
    return row(key, parent, rejected=(reject,))


def parents(tree: Tree) -> dict[str, object]:
    return {key: department.parent for key, department in tree.departments.items()}


def test_null_empty_and_own_key_mean_directly_under_the_root() -> None:
    """The parent is then the WeCom id of root_department."""
    tree = grow([row("A"), row("B", "B"), row("C", "A")], ROOT)
    assert parents(tree) == {"A": 1, "B": 1, "C": "A"}
    assert tree.rejected == ()
    assert tree.held == frozenset()


def test_parents_may_come_after_their_children() -> None:
    """The order of rows is nobody's business."""
    assert parents(grow([row("C", "B"), row("B", "A"), row("A")], 7)) == {"A": 7, "B": "A", "C": "B"}


def test_the_root_row_stands_for_root_department() -> None:
    """It is no department of ours, and whoever names it means the WeCom id."""
    tree = grow([row("0", is_root=True, name=None), row("A", "0"), row("B")], 12)
    assert parents(tree) == {"A": 12, "B": 12}
    assert tree.refs["0"] == 12
    assert tree.root_key == "0"


def test_two_root_rows_are_both_rejected() -> None:
    """Nobody can tell which one it is; all below them is held."""
    tree = grow([row("0", is_root=True), row("1", is_root=True), row("A", "0"), row("B")], ROOT)
    assert rules_of(tree.rejected) == [("0", "root", "root"), ("1", "root", "root")]
    assert tree.held == {"0", "1", "A"}
    assert parents(tree) == {"B": 1}
    assert tree.root_key is None


def test_all_rows_of_a_doubled_key_are_rejected_with_their_subtree() -> None:
    """Once for the key, not once a row."""
    tree = grow([row("A"), row("A", name="other"), row("B", "A"), row("C", "B"), row("D")], ROOT)
    assert rules_of(tree.rejected) == [("A", "key", "duplicate_key")]
    assert tree.held == {"A", "B", "C"}
    assert parents(tree) == {"D": 1}


def test_an_unknown_parent_is_rejected() -> None:
    """And what hangs below is held."""
    tree = grow([row("A", "nowhere"), row("B", "A")], ROOT)
    assert rules_of(tree.rejected) == [("A", "parent", "unknown_parent")]
    assert tree.held == {"A", "B"}
    assert tree.refs == {"A": "A", "B": "B"}


def test_the_departments_of_a_loop_are_rejected_and_those_below_are_held() -> None:
    """Those who merely hang on it are not at fault."""
    tree = grow([row("A", "C"), row("B", "A"), row("C", "B"), row("D", "A"), row("E")], ROOT)
    assert sorted(rules_of(tree.rejected)) == [(key, "parent", "loop") for key in "ABC"]
    assert tree.held == {"A", "B", "C", "D"}
    assert parents(tree) == {"E": 1}


def test_siblings_of_one_name_are_both_rejected() -> None:
    """The same name elsewhere is no harm."""
    rows = [row("A", name="研发"), row("B", name="研发"), row("C", name="平台"), row("D", "C", name="研发")]
    tree = grow(rows, ROOT)
    assert rules_of(tree.rejected) == [("A", "name", "duplicate_name"), ("B", "name", "duplicate_name")]
    assert str(tree.rejected[0].problem) == "it has the same name as its sibling B"
    assert parents(tree) == {"C": 1, "D": "C"}


def test_what_is_deeper_than_15_levels_is_rejected() -> None:
    """The root counts as the first."""
    chain = [row("1")] + [row(str(n), str(n - 1)) for n in range(2, 18)]
    tree = grow(chain, ROOT)
    assert rules_of(tree.rejected) == [(key, "parent", "depth") for key in ("15", "16", "17")]
    assert len(tree.departments) == DEEPEST - 1


def test_a_faulty_row_holds_its_subtree() -> None:
    """Its own rejects are passed on."""
    tree = grow([broken("A"), row("B", "A"), row("C")], ROOT)
    assert rules_of(tree.rejected) == [("A", "name", "length")]
    assert tree.held == {"A", "B"}


def test_a_faulty_sibling_still_occupies_its_name() -> None:
    """It stays in WeCom as it is, so another one cannot take the name."""
    tree = grow([broken("A"), row("B", name="部门A")], ROOT)
    assert ("B", "name", "duplicate_name") in rules_of(tree.rejected)


def test_rows_may_point_by_another_name_than_the_key() -> None:
    """`ref` is what others call a department; its key is what wxsync calls it."""
    tree = grow([row("1", ref="ou=a"), row("2", "ou=a", ref="ou=b")], ROOT)
    assert parents(tree) == {"1": 1, "2": "1"}
    assert tree.refs == {"ou=a": "1", "ou=b": "2"}


def test_two_departments_of_one_ref_are_both_rejected() -> None:
    """Nobody can tell whom the others mean."""
    tree = grow([row("1", ref="x"), row("2", ref="x"), row("3", "x")], ROOT)
    assert rules_of(tree.rejected) == [("1", "ref", "duplicate_key"), ("2", "ref", "duplicate_key")]
    assert tree.departments == {}


KEYS = st.sampled_from("ABCDEFGHIJ")


@given(
    st.lists(st.tuples(KEYS, st.none() | KEYS, st.sampled_from(["x", "y", None]), st.booleans()), max_size=14)
)
def test_whatever_the_rows_the_tree_is_one(
    given_rows: list[tuple[str, str | None, str | None, bool]],
) -> None:
    """Every department leads up to the root, every key is in just one place, every reject is held."""
    rows = [
        row(key, parent, name or f"部门{key}", is_root=is_root and key == "A")
        for key, parent, name, is_root in given_rows
    ]
    tree = grow(rows, ROOT)
    keys = {each.key for each in rows}
    root = {tree.root_key} - {None}
    assert set(tree.departments) | tree.held | root == keys
    assert not set(tree.departments) & tree.held
    assert {each.key for each in tree.rejected} <= tree.held
    assert {each.key for each in tree.rejected} or not tree.held
    names = [(department.parent, department.name) for department in tree.departments.values()]
    assert len(names) == len(set(names))
    for department in tree.departments.values():
        parent, level = department.parent, 2
        while parent != ROOT:
            parent, level = tree.departments[str(parent)].parent, level + 1
            assert level <= DEEPEST
