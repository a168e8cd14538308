"""Invitations to WeCom's JSON and back (WeCom page 90975)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wxsync.wecom.wire.shapes import Answer, Json, numbers_of, texts_of


@dataclass(frozen=True, slots=True, kw_only=True)
class NotInvited:
    """Whom WeCom left out, as it spells them; the others it may have invited."""

    userids: frozenset[str]
    department_ids: frozenset[int]
    tag_ids: frozenset[int]


def to_invite(userids: Sequence[str], department_ids: Sequence[int], tag_ids: Sequence[int]) -> Json:
    """What is empty is left out."""
    body = {"user": list(userids), "party": list(department_ids), "tag": list(tag_ids)}
    return {name: values for name, values in body.items() if values}


def from_invite(answer: Answer) -> NotInvited:
    endpoint = "batch/invite"
    return NotInvited(
        userids=frozenset(texts_of(answer, "invaliduser", endpoint)),
        department_ids=frozenset(numbers_of(answer, "invalidparty", endpoint)),
        tag_ids=frozenset(numbers_of(answer, "invalidtag", endpoint)),
    )
