"""How a run is taken back, worked out: what is as it was written, what cannot be, and what is told of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from wxsync.config.settings import SyncSettings
from wxsync.engine.actual import recall
from wxsync.engine.decide import Decision
from wxsync.engine.past import PastChange, past_changes
from wxsync.engine.saved import saved_changes
from wxsync.engine.undo import decide_undo
from wxsync.engine.undo_ground import Finding, finding, same
from wxsync.errors import MirrorError
from wxsync.model.change import Change, FieldChange, Kind, Verb
from wxsync.model.loss import LossReason
from wxsync.model.member import Member
from wxsync.model.message import say
from wxsync.model.plan import Forecast, Plan
from wxsync.model.remembered import (
    LinkState,
    Remembered,
    RememberedDepartment,
    RememberedMember,
    RememberedTag,
)
from wxsync.model.run import Outcome, OutcomeState
from wxsync.model.seen import Seen, SeenDepartment, SeenMember, SeenTag
from wxsync.model.unknown import UNKNOWN, Value
from wxsync.report.as_json import plan_text

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def settings(**policy: Any) -> SyncSettings:
    return SyncSettings.model_validate(
        {
            "corp": "acme",
            "sources": ["hr"],
            "mode": "apply",
            "department": {"key": "code", "parent": "parent", "name": "name"},
            "member": {"key": "emp_no", "userid": "emp_no", "name": "name", "mobile": "mobile"},
            "policy": {"leavers": "disable", "empty_departments": "keep", "adopt": [], **policy},
        }
    )


def past(
    kind: Kind,
    verb: Verb,
    key: str,
    fields: Mapping[str, tuple[Value, Value]] | None = None,
    *,
    id: str | int | None = None,
    **more: Any,
) -> PastChange:
    changed = {name: FieldChange(*values) for name, values in (fields or {}).items()}
    folded = key.lower() if kind is Kind.MEMBER and id is None else id
    return PastChange(kind=kind, verb=verb, key=key, id=folded, name=key, fields=changed, **more)


class Corp:
    """A small corp as it is now: departments by key, people by key, all ours."""

    def __init__(self) -> None:
        self.departments: dict[str, tuple[int, int, str]] = {}
        self.members: dict[str, RememberedMember] = {}
        self.places: dict[str, tuple[int, ...]] = {}
        self.tags: dict[str, RememberedTag] = {}
        self.strangers: dict[str, tuple[int, ...]] = {}

    def department(self, key: str, id: int, parent: int = 1, name: str | None = None) -> None:
        self.departments[key] = (id, parent, name or key)

    def member(self, key: str, places: tuple[int, ...] = (1,), **values: Any) -> None:
        link = {name: values.pop(name) for name in ("doubts", "disabled_at", "unproven") if name in values}
        self.members[key] = RememberedMember(
            state=LinkState.OURS, member=Member(key=key, userid=key.lower(), **values), **link
        )
        self.places[key] = places

    def tag(self, name: str, id: int, *keys: str) -> None:
        userids = frozenset(key.lower() for key in keys)
        self.tags[name] = RememberedTag(name=name, id=id, state=LinkState.OURS, userids=userids)

    @property
    def remembered(self) -> Remembered:
        return Remembered(
            departments={
                key: RememberedDepartment(key=key, id=id, state=LinkState.OURS, parent_id=parent, name=name)
                for key, (id, parent, name) in self.departments.items()
            },
            members=self.members,
            tags=self.tags,
            has_been_applied=True,
            highest_department_id=99,
        )

    @property
    def seen(self) -> Seen:
        people = {key.lower(): places for key, places in self.places.items()} | self.strangers
        return Seen(
            departments=(
                SeenDepartment(id=1, parent_id=0, order=0),
                *(
                    SeenDepartment(id=id, parent_id=parent, order=0)
                    for id, parent, _ in self.departments.values()
                ),
            ),
            members=tuple(
                SeenMember(userid=userid, department_ids=frozenset(ids)) for userid, ids in people.items()
            ),
            tags=tuple(SeenTag(id=tag.id, name=tag.name, userids=tag.userids) for tag in self.tags.values()),
        )

    def undo(self, *done: PastChange, **policy: Any) -> Decision:
        return decide_undo(
            run=7,
            done=done,
            sync="acme",
            corp_id="ww1",
            settings=settings(**policy),
            seen=self.seen,
            remembered=self.remembered,
            now=NOW,
        )


@pytest.fixture
def corp() -> Corp:
    return Corp()


def written(decision: Decision) -> list[tuple[str, str, dict[str, tuple[Value, Value]]]]:
    return [
        (
            change.verb.value,
            str(change.key),
            {name: (values.before, values.after) for name, values in change.fields.items()},
        )
        for change in decision.plan.writes
    ]


def lost(decision: Decision) -> list[tuple[str | None, LossReason, tuple[str, ...]]]:
    return [(loss.key, loss.reason, loss.fields) for loss in decision.plan.not_undoable]


# One field


@pytest.mark.parametrize(
    ("before", "after", "now", "doubts", "found"),
    [
        ("a", "b", "b", (), Finding.AS_WRITTEN),
        ("a", "b", "a", (), Finding.AS_BEFORE),
        ("a", "b", "c", (), Finding.CHANGED),
        (None, "b", "b", (), Finding.AS_WRITTEN),
        ("a", None, None, (), Finding.AS_WRITTEN),
        (UNKNOWN, "b", "b", (), Finding.NOT_KNOWN_BEFORE),
        (UNKNOWN, "b", "c", (), Finding.CHANGED),
        ("a", "b", UNKNOWN, ("a", "b"), Finding.AS_WRITTEN),
        ("a", "b", UNKNOWN, ("b", "c"), Finding.NOT_KNOWN_NOW),
        ("a", "b", UNKNOWN, (), Finding.NOT_KNOWN_NOW),
    ],
)
def test_a_field_is_given_back_only_where_it_is_as_the_run_wrote_it(
    before: Value, after: Value, now: Value, doubts: tuple[Value, ...], found: Finding
) -> None:
    """Or where nobody knows only whether that very call came through."""
    assert finding("position", FieldChange(before, after), now, doubts=doubts) is found


def test_what_a_field_held_on_the_way_is_the_runs_too() -> None:
    """A number that was cleared for an exchange which never came to its end."""
    values = FieldChange("13800000001", "13800000002")
    assert finding("mobile", values, None) is Finding.CHANGED
    assert finding("mobile", values, None, on_the_way=(None,)) is Finding.AS_WRITTEN


def test_places_are_equal_in_any_order_and_an_order_of_zero_is_none() -> None:
    """As WeCom shows them, and as they were planned."""
    assert same("departments", ("D1", 5), (5, "D1"))
    assert same("order", (("D1", 10), ("D2", 0)), (("D1", 10),))
    assert not same("order", (("D1", 10),), (("D1", 9),))
    assert not same("enable", True, 1)


# The record


def planned(*changes: Change) -> Iterable[Change]:
    """The changes, as they come back from the plan's document."""
    plan = Plan(
        sync="acme",
        corp_id="ww1",
        created_at=NOW,
        is_complete=True,
        changes=changes,
        forecast=Forecast(calls=0, seconds=0),
    )
    return saved_changes("".join(plan_text(plan)))


def change(verb: Verb, key: str, fields: Mapping[str, FieldChange], **more: Any) -> Change:
    return Change(
        kind=Kind.MEMBER, verb=verb, key=key, id=key.lower(), name=key, fields=fields, why=say("why"), **more
    )


def test_of_a_run_counts_what_was_done_or_may_have_been() -> None:
    """Done, unknown, failed after a call, and announced without an outcome; not what was never tried."""
    changes = [change(Verb.UPDATE, f"E{n}", {"position": FieldChange(None, "x")}) for n in range(1, 7)]
    outcomes = [
        Outcome(n=1, state=OutcomeState.DONE, attempts=1),
        Outcome(n=2, state=OutcomeState.UNKNOWN, attempts=1),
        Outcome(n=3, state=OutcomeState.FAILED, attempts=2),
        Outcome(n=4, state=OutcomeState.SKIPPED, attempts=0),
    ]
    done = past_changes(planned(*changes), outcomes, {1, 2, 3, 5})
    assert [each.key for each in done] == ["E1", "E2", "E3", "E5"]


def test_all_that_a_change_says_comes_back_from_the_document() -> None:
    """Lists, orders, what is unknown, what is empty, and what a deletion held."""
    fields = {
        "departments": FieldChange(("D1", 5), ("D2",)),
        "order": FieldChange((("D1", 10), (5, 3)), ()),
        "mobile": FieldChange(UNKNOWN, "13800000001"),
        "alias": FieldChange("x", None),
    }
    held = {"name": "员工", "is_leader": ("D1",), "order": (("D1", 2),), "enable": False}
    [moved, deleted] = past_changes(
        planned(change(Verb.UPDATE, "E1", fields), change(Verb.DELETE, "E2", {}, held=held)), [], {1, 2}
    )
    assert moved.fields["departments"] == FieldChange(("D1", 5), ("D2",))
    assert moved.fields["order"] == FieldChange((("D1", 10), ("5", 3)), ())
    assert moved.fields["mobile"].before is UNKNOWN
    assert moved.fields["alias"] == FieldChange("x", None)
    assert deleted.held == held


def test_a_name_that_a_department_gave_way_under_is_not_what_it_had_before() -> None:
    """The plan says that it goes from there to its end; it came from its own name."""
    way = Change(
        kind=Kind.DEPARTMENT,
        verb=Verb.UPDATE,
        key="D1",
        id=5,
        name="甲",
        fields={"name": FieldChange("甲", "wxsync-5")},
        why=say("why"),
        is_temporary=True,
    )
    end = {"name": FieldChange("wxsync-5", "甲"), "parent": FieldChange("D2", "D3")}
    [found] = past_changes(
        planned(
            way,
            Change(
                kind=Kind.DEPARTMENT, verb=Verb.UPDATE, key="D1", id=5, name="甲", fields=end, why=say("why")
            ),
        ),
        [],
        {1},
    )
    assert found.fields["name"] == FieldChange("甲", "甲")
    assert found.on_the_way == {"name": ("wxsync-5",)}


def test_a_document_that_is_no_plan_is_an_error_without_its_values() -> None:
    """Nothing of it is in the error's text."""
    text = json.dumps({"changes": [{"key": "13800000001"}]}, indent=2)
    with pytest.raises(MirrorError) as raised:
        past_changes(saved_changes(text), [], ())
    assert "13800000001" not in str(raised.value)


# Departments


def test_parents_go_back_without_a_loop_where_something_was_moved_since(corp: Corp) -> None:
    """What would be below itself stays, and is listed."""
    corp.department("D1", 5)
    corp.department("D2", 6, parent=5)
    decision = corp.undo(past(Kind.DEPARTMENT, Verb.UPDATE, "D1", {"parent": ("D2", 1)}, id=5))
    assert written(decision) == []
    assert lost(decision) == [("D1", LossReason.CHANGED, ("parent",))]


def test_a_parent_that_is_gone_cannot_be_gone_back_to(corp: Corp) -> None:
    """Its order comes back all the same."""
    corp.department("D1", 5)
    decision = corp.undo(
        past(Kind.DEPARTMENT, Verb.UPDATE, "D1", {"parent": ("D9", 1), "order": (7, 0)}, id=5)
    )
    assert written(decision) == [("update", "D1", {"order": (0, 7)})]
    assert lost(decision) == [("D1", LossReason.GONE, ("parent",))]


def test_two_do_not_get_the_same_place(corp: Corp) -> None:
    """A name that another one has taken since is not fought over, however long the row of them is."""
    corp.department("D1", 5, name="乙")
    corp.department("D2", 6, name="丙")
    corp.department("D3", 7, name="甲")
    decision = corp.undo(
        past(Kind.DEPARTMENT, Verb.UPDATE, "D1", {"name": ("甲", "乙")}, id=5),
        past(Kind.DEPARTMENT, Verb.UPDATE, "D2", {"name": ("乙", "丙")}, id=6),
    )
    assert written(decision) == []
    assert lost(decision) == [
        ("D1", LossReason.TAKEN, ("name",)),
        ("D2", LossReason.TAKEN, ("name",)),
    ]


def test_a_child_of_what_cannot_be_made_anew_is_not_made_either(corp: Corp) -> None:
    """The reason is told of each."""
    corp.department("D3", 7, name="甲")
    decision = corp.undo(
        past(Kind.DEPARTMENT, Verb.DELETE, "D1", id=5, held={"name": "甲", "parent": 1, "order": 0}),
        past(Kind.DEPARTMENT, Verb.DELETE, "D2", id=6, held={"name": "丁", "parent": "D1", "order": 0}),
    )
    assert written(decision) == []
    assert lost(decision) == [("D1", LossReason.TAKEN, ()), ("D2", LossReason.GONE, ())]


def test_a_department_under_a_name_for_a_while_gets_its_own(corp: Corp) -> None:
    """A run died before it deleted it."""
    corp.department("D1", 5, name="wxsync-5")
    decision = corp.undo(
        past(
            Kind.DEPARTMENT,
            Verb.DELETE,
            "D1",
            id=5,
            held={"name": "甲", "parent": 1},
            on_the_way={"name": ("wxsync-5",)},
        )
    )
    assert written(decision) == [("update", "D1", {"name": ("wxsync-5", "甲")})]


# People


def test_somebody_under_another_key_by_now_is_found_by_the_userid(corp: Corp) -> None:
    """`wxsync rekey` came between."""
    corp.members["N1"] = RememberedMember(
        state=LinkState.OURS, member=Member(key="N1", userid="e1", position="b")
    )
    corp.places["N1"] = (1,)
    corp.strangers = {}
    seen = Seen(
        departments=(SeenDepartment(id=1, parent_id=0, order=0),),
        members=(SeenMember(userid="e1", department_ids=frozenset({1})),),
        tags=(),
    )
    decision = decide_undo(
        run=7,
        done=(past(Kind.MEMBER, Verb.UPDATE, "E1", {"position": ("a", "b")}),),
        sync="acme",
        corp_id="ww1",
        settings=settings(),
        seen=seen,
        remembered=corp.remembered,
        now=NOW,
    )
    assert written(decision) == [("update", "N1", {"position": ("b", "a")})]


def test_numbers_go_back_in_a_row_and_stop_where_somebody_keeps_one(corp: Corp) -> None:
    """E1 cannot have its own again, so it keeps what it has, which E2 was to get: both stay."""
    corp.member("E1", mobile="13800000002", email="a@example.com")
    corp.member("E2", mobile="13800000003", email="b@example.com")
    corp.member("E9", mobile="13800000001")
    decision = corp.undo(
        past(Kind.MEMBER, Verb.UPDATE, "E1", {"mobile": ("13800000001", "13800000002"), "alias": ("x", "y")}),
        past(Kind.MEMBER, Verb.UPDATE, "E2", {"mobile": ("13800000002", "13800000003")}),
    )
    assert written(decision) == []
    assert lost(decision) == [
        ("E1", LossReason.UNKNOWN, ("alias",)),
        ("E1", LossReason.TAKEN, ("mobile",)),
        ("E2", LossReason.TAKEN, ("mobile",)),
    ]


def test_who_is_protected_is_left_alone(corp: Corp) -> None:
    """Protected since: nothing of them is taken back, nor are they put into a tag."""
    corp.member("E1", position="b")
    corp.tag("甲", 3)
    decision = corp.undo(
        past(Kind.MEMBER, Verb.UPDATE, "E1", {"position": ("a", "b")}),
        past(Kind.TAG, Verb.UPDATE, "甲", {"members": (("E1",), ())}, id=3),
        protect=["e1"],
    )
    assert written(decision) == []
    assert [str(each.reason) for each in decision.plan.changes] == ["protected"]


def test_nobody_is_made_anew_under_a_userid_that_somebody_else_has(corp: Corp) -> None:
    """A hand gave it to somebody."""
    corp.strangers = {"e1": (1,)}
    held = {"name": "员工", "mobile": "13800000001", "departments": (1,)}
    decision = corp.undo(past(Kind.MEMBER, Verb.DELETE, "E1", held=held))
    assert written(decision) == []
    assert lost(decision) == [("E1", LossReason.TAKEN, ())]


def test_who_is_made_anew_goes_without_a_number_that_is_taken(corp: Corp) -> None:
    """The address is enough; without either they cannot be made."""
    corp.member("E9", mobile="13800000001")
    held = {"name": "员工", "mobile": "13800000001", "email": "a@example.com", "departments": ("D9",)}
    decision = corp.undo(past(Kind.MEMBER, Verb.DELETE, "E1", held=held))
    [made] = decision.plan.writes
    assert (made.verb, "mobile" in made.fields) == (Verb.CREATE, False)
    assert made.fields["departments"].after == (1,), "its department is gone: it is put into the root"
    assert {loss.reason for loss in decision.plan.not_undoable} == {
        LossReason.GONE,
        LossReason.DELETED,
        LossReason.TAKEN,
    }
    del held["email"]
    decision = corp.undo(past(Kind.MEMBER, Verb.DELETE, "E1", held=held))
    assert written(decision) == []


def test_a_place_in_a_department_that_is_gone_leaves_all_places_alone(corp: Corp) -> None:
    """Half of where somebody was is where they never were."""
    corp.department("D1", 5)
    corp.member("E1", places=(5,), main_department="D1", position="b")
    decision = corp.undo(
        past(
            Kind.MEMBER,
            Verb.UPDATE,
            "E1",
            {
                "departments": (("D1", "D9"), ("D1",)),
                "main_department": ("D9", "D1"),
                "position": ("a", "b"),
            },
        )
    )
    assert written(decision) == [("update", "E1", {"position": ("b", "a")})]
    assert ("E1", LossReason.GONE, ("departments", "main_department")) in lost(decision)


def test_marks_that_went_with_a_department_come_back_with_it(corp: Corp) -> None:
    """No field of the change told them: whoever leaves a department leads it no more."""
    corp.department("D1", 5)
    corp.department("D2", 6)
    corp.member("E1", places=(6,), is_leader=("D2",), order=(), main_department="D2")
    moved = change(
        Verb.UPDATE,
        "E1",
        {"departments": FieldChange(("D1", "D2"), ("D2",))},
        held={"is_leader": ("D1", "D2"), "order": (("D1", 7),), "main_department": "D1"},
    )
    decision = corp.undo(*past_changes(planned(moved), [], {1}))
    assert written(decision) == [
        (
            "update",
            "E1",
            {
                "departments": (("D2",), ("D1", "D2")),
                "main_department": ("D2", "D1"),
                "is_leader": (("D2",), ("D1", "D2")),
                "order": ((), (("D1", 7),)),
            },
        )
    ]


def test_an_order_finds_its_departments_by_their_ids_too(corp: Corp) -> None:
    """The document has them as texts: the root and foreign departments are numbers again."""
    corp.department("D1", 5)
    corp.member("E1", places=(1, 5), order=(("D1", 3),))
    decision = corp.undo(
        past(Kind.MEMBER, Verb.UPDATE, "E1", {"order": ((("D1", 2), ("1", 9)), (("D1", 3),))})
    )
    assert written(decision) == [("update", "E1", {"order": ((("D1", 3),), (("D1", 2), (1, 9)))})]


def test_the_ground_is_not_touched(corp: Corp) -> None:
    """Nothing to take back is an empty plan, which names the run."""
    corp.member("E1")
    decision = corp.undo()
    assert (decision.plan.writes, decision.plan.undoes) == ((), 7)
    assert decision.actual == recall(corp.seen, corp.remembered, 1)


# Deleted, and there again


HELD: Mapping[str, Value] = {
    "name": "员工",
    "mobile": "13800000001",
    "email": "a@example.com",
    "departments": (1,),
    "tags": ("甲", "乙", "丙"),
    "led": ("E2", "E3"),
}


@pytest.mark.parametrize(
    ("state", "itself"),
    [
        (OutcomeState.DONE, LossReason.DELETED),
        (OutcomeState.UNKNOWN, LossReason.UNKNOWN),
        (None, LossReason.UNKNOWN),
    ],
)
def test_who_is_there_again_is_left_and_what_is_lost_is_listed(
    corp: Corp, state: OutcomeState | None, itself: LossReason
) -> None:
    """The chats, and each field, tag and led person that is otherwise; nothing is written."""
    corp.member("E1", name="员工", mobile="13800000002")
    corp.member("E2", direct_leader="E1")
    corp.member("E3", direct_leader="E2")
    corp.tag("甲", 3, "E1")
    corp.tag("乙", 4, "E2")
    decision = corp.undo(past(Kind.MEMBER, Verb.DELETE, "E1", held=HELD, state=state))
    assert written(decision) == []
    assert lost(decision) == [
        ("E1", itself, ()),
        ("E1", LossReason.CHANGED, ("mobile", "tags", "led")),
        ("E1", LossReason.UNKNOWN, ("email",)),
    ]


def test_where_a_deletion_failed_nothing_was_lost_by_it(corp: Corp) -> None:
    """Whatever is otherwise by now, another run did."""
    corp.member("E1", name="员工", mobile="13800000002")
    corp.department("D1", 5, name="新")
    for state in (OutcomeState.FAILED, OutcomeState.SKIPPED):
        decision = corp.undo(
            past(Kind.MEMBER, Verb.DELETE, "E1", held=HELD, state=state),
            past(Kind.DEPARTMENT, Verb.DELETE, "D1", id=5, held={"name": "甲", "parent": 1}, state=state),
        )
        assert (written(decision), lost(decision)) == ([], [])


def test_a_department_that_is_there_again_is_another(corp: Corp) -> None:
    """It has another id; under its own id it was never deleted."""
    corp.department("D1", 8, name="新")
    held: Mapping[str, Value] = {"name": "甲", "parent": 1}
    decision = corp.undo(past(Kind.DEPARTMENT, Verb.DELETE, "D1", id=5, held=held))
    assert written(decision) == []
    assert lost(decision) == [("D1", LossReason.DELETED, ()), ("D1", LossReason.CHANGED, ("name",))]
    assert lost(corp.undo(past(Kind.DEPARTMENT, Verb.DELETE, "D1", id=8, held=held))) == []


def test_a_tag_that_is_there_again_gets_its_people_back(corp: Corp) -> None:
    """It may be an undo that made it and died before it put them in; whoever is in it since stays."""
    corp.member("E1")
    corp.member("E2")
    corp.tag("甲", 8, "E2")
    decision = corp.undo(past(Kind.TAG, Verb.DELETE, "甲", id=3, held={"members": ("E1", "E2")}))
    assert written(decision) == [("update", "甲", {"members": (("E2",), ("E1", "E2"))})]
    assert lost(decision) == [("甲", LossReason.DELETED, ())]


def test_what_became_of_a_deletion_is_told() -> None:
    """Done, unknown, or that nobody knows since the run died."""
    changes = [change(Verb.DELETE, f"E{n}", {}, held={"name": "员工"}) for n in (1, 2, 3)]
    outcomes = [Outcome(n=1, state=OutcomeState.DONE), Outcome(n=2, state=OutcomeState.UNKNOWN)]
    done = past_changes(planned(*changes), outcomes, {1, 2, 3})
    assert [each.state for each in done] == [OutcomeState.DONE, OutcomeState.UNKNOWN, None]
