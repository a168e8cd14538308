"""The operator's word: what is unknown is what the source says, and what is known is left alone."""

from __future__ import annotations

from tests.engine.companies import Company, desired, person, unit
from wxsync.engine.baseline import baseline_of
from wxsync.engine.decide import Decision
from wxsync.model.unknown import UNKNOWN


def adopted() -> Decision:
    """Two adopted members of whom WeCom hides all but one title, in a department without a known name."""
    company = Company()
    company.department("D")
    for key in "AB":
        company.member(
            key,
            departments=("D",),
            name=UNKNOWN,
            mobile=UNKNOWN,
            main_department=UNKNOWN,
            is_leader=UNKNOWN,
            enable=UNKNOWN,
            position="旧" if key == "A" else UNKNOWN,
        )
    wanted = [
        person(
            key,
            departments=("D",),
            mobile=f"1380000000{place}",
            position="新",
            alias=None,
            extattr=(("工号", key),),
            enable=True,
        )
        for place, key in enumerate("AB")
    ]
    remembered = company.remembered()
    nameless = remembered.departments["D"].__class__(
        key="D", id=company.id_of("D"), state=remembered.departments["D"].state
    )
    return company.decide(
        desired(wanted, [unit("D")]),
        remembered=remembered.__class__(
            departments={"D": nameless}, members=remembered.members, has_been_applied=True
        ),
    )


def test_everything_unknown_of_everybody() -> None:
    """Empty values too; a known title that differs stays a change to be made, and `enable` is nobody's."""
    taken = baseline_of(adopted(), None, None)

    members = {link.member.key: link.member for link in taken.members}
    assert (members["A"].name, members["A"].mobile, members["A"].alias) == ("人A", "13800000000", None)
    assert (members["A"].position, members["B"].position) == ("旧", "新")
    assert (members["A"].main_department, members["A"].extattr) == ("D", (("工号", "A"),))
    assert members["A"].enable is UNKNOWN
    assert [department.name for department in taken.departments] == ["部门D"]
    assert taken.fields == {
        "alias": 2,
        "extattr.工号": 2,
        "main_department": 2,
        "mobile": 2,
        "name": 2,
        "position": 1,
    }


def test_some_fields_or_one_person() -> None:
    """Nothing beyond what was said is taken for known."""
    one = baseline_of(adopted(), None, "B")
    some = baseline_of(adopted(), {"mobile", "extattr"}, None)

    assert [link.member.key for link in one.members] == ["B"]
    assert some.fields == {"extattr.工号": 2, "mobile": 2}
    assert (one.departments, some.departments) == ((), ())
