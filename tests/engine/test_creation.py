"""What a creation says, told by the member itself."""

from __future__ import annotations

import pytest

from wxsync.engine.creation import CreationFields
from wxsync.model.change import FieldChange
from wxsync.model.member import Member
from wxsync.model.unknown import UNKNOWN

LIN = Member(
    key="E1",
    userid="e1",
    name="林梅",
    mobile="13800000001",
    email=None,
    departments=("D2", 1, "D1"),
    main_department="D2",
    is_leader=(),
    enable=False,
    extattr=(("grade", "7"), ("room", None), ("shoe", "")),
)
SAID = {
    "name": FieldChange(None, "林梅"),
    "mobile": FieldChange(None, "13800000001"),
    "departments": FieldChange(None, ("D1", "D2", 1)),
    "main_department": FieldChange(None, "D2"),
    "enable": FieldChange(None, False),
    "extattr.grade": FieldChange(None, "7"),
}


def test_every_field_that_holds_something_is_said_in_the_order_of_reports():
    """Departments are sorted, attributes come last; what is unknown or empty is not said."""
    fields = CreationFields(LIN)
    assert list(fields.items()) == list(SAID.items())
    assert len(fields) == len(SAID)
    assert fields == SAID
    assert {"alias": FieldChange(UNKNOWN, None), **fields} == {"alias": FieldChange(UNKNOWN, None), **SAID}


@pytest.mark.parametrize(
    "name", ["email", "alias", "is_leader", "extattr.room", "extattr.x", "key", "extattr"]
)
def test_what_is_not_said_is_not_there(name: str):
    """Neither an empty field nor what is no field at all."""
    fields = CreationFields(LIN)
    assert name not in fields
    assert fields.get(name) is None
    with pytest.raises(KeyError):
        fields[name]
