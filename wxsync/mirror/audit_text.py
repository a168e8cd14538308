"""Lines of the audit trail <-> what is kept of them: a public text, and each person's share of it apart.

The public text names no person. Whatever does, be it a key, a userid, a value or a fact of a message, is a
share of whom it is about, so that one person's can be destroyed and everybody else's stays.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from string import Formatter
from typing import Any, Final, cast

from wxsync.mirror.tables import KEY_LENGTH, USERID_LENGTH
from wxsync.model.audit import AuditRecord, Begun, Deed, Erased, Lifted, Pruned
from wxsync.model.change import FieldChange, Kind, Verb
from wxsync.model.member import fold
from wxsync.model.message import Message
from wxsync.model.run import OutcomeState
from wxsync.model.unknown import UNKNOWN, Value

GENESIS: Final = "0" * 64
"""What stands before the first line."""
SALT_BYTES: Final = 16
NAMING: Final = frozenset({"key", "owner"})
"""Facts of messages that name a person."""
LEADER: Final = "direct_leader"
GONE: Final = "***"
"""In the place of what was erased."""

ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)
WAYS: Final = {way: ENCODER.encode({"as": way}) for way in ("in", "out", "why", "hint", LEADER)}
"""As what somebody stands in a line that is about somebody else, or about a tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What of a line is about one person. Its digest is in the line's public text."""

    sync: str | None
    key: str | None
    userid_folded: str | None
    salt: str
    content: str

    @property
    def digest(self) -> str:
        """sha256 over salt, person and content: who has neither salt nor values cannot guess at them."""
        parts = (self.salt, self.sync, self.key, self.userid_folded, self.content)
        said = "".join(["-" if part is None else f"{len(part)}:{part}" for part in parts])
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def chained(before: str, corp: str, seq: int, document: str) -> str:
    """The hash of a line that stands behind the one with the hash `before`."""
    said = f"{before}\n{corp}\n{seq}\n{document}"
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def to_document(
    record: AuditRecord, *, at: datetime, sync: str | None, run_id: int | None
) -> tuple[str, list[Share]]:
    """The public text of a line, and the shares whose digests it holds, in their order."""
    said: dict[str, Any] = {"at": at.isoformat()}
    if run_id is not None:
        said["run"] = run_id
    if sync is not None:
        said["sync"] = sync
    shares: list[Share] = []
    match record:
        case Deed():
            said |= _deed(record)
            shares = _shares(record, sync)
            if shares:
                said["shares"] = [share.digest for share in shares]
        case Begun():
            said |= _begun(record)
        case Erased():
            said |= {"is": "erased", "values": record.values, "why": _message(record.why)}
        case Pruned():
            said |= {"is": "pruned", "until": record.until, "hash": record.hash}
    return ENCODER.encode(said), shares


def to_record(said: Mapping[str, Any], shares: Mapping[int, Share]) -> AuditRecord:
    """The record whose public text said this; `shares` are those that were not erased, by their place."""
    match said.get("is"):
        case "begun":
            return _to_begun(said)
        case "erased":
            values = tuple((int(seq), int(place)) for seq, place in said["values"])
            return Erased(values=values, why=_to_message(said["why"]) or Message(""))
        case "pruned":
            return Pruned(until=said["until"], hash=said["hash"])
        case _:
            return _to_deed(said, shares)


# Deeds


def _deed(deed: Deed) -> dict[str, Any]:
    """What is said of everybody alike; what is nothing is left out."""
    said: dict[str, Any] = {
        "n": deed.n,
        "step": deed.step,
        "kind": deed.kind.value,
        "verb": deed.verb.value,
        "call": deed.call,
        "state": deed.state.value,
        "errcode": deed.errcode,
        "temporary": deed.is_temporary or None,
        "settled": deed.is_settled or None,
        "why": None if deed.why is None else deed.why.template,
        "hint": None if deed.hint is None else deed.hint.template,
    }
    if deed.kind is not Kind.MEMBER:
        said |= {"key": deed.key, "id": deed.id, "name": deed.name, "fields": _fields(deed.fields) or None}
        for name, message in (("why", deed.why), ("hint", deed.hint)):
            if message is not None and message.facts:
                said[f"{name}_facts"] = dict(message.facts)
    return {name: value for name, value in said.items() if value is not None}


def _shares(deed: Deed, sync: str | None) -> list[Share]:
    if deed.kind is Kind.TAG:
        moved = [(userid, "in") for userid in deed.joined] + [(userid, "out") for userid in deed.left]
        return [_share(sync, None, userid, WAYS[way]) for userid, way in moved]
    if deed.kind is not Kind.MEMBER:
        return []
    others: list[Share] = []
    own: dict[str, Any] = {"id": deed.id, "name": deed.name}
    for name, message in (("why", deed.why), ("hint", deed.hint)):
        if message is not None and message.facts:
            own[name] = {
                fact: _told(value, fact, name, sync, others) for fact, value in message.facts.items()
            }
    if deed.fields:
        own["fields"] = _fields(deed.fields)
        if LEADER in deed.fields:
            own["fields"][LEADER] = [
                value if not isinstance(value, str) else _told(value, "key", LEADER, sync, others)
                for value in own["fields"][LEADER]
            ]
    return [_share(sync, deed.key, cast("str | None", deed.id), ENCODER.encode(own)), *others]


def _told(value: object, fact: str, where: str, sync: str | None, others: list[Share]) -> object:
    """A fact as it is kept with the line's own person; somebody else is a share of their own."""
    if fact not in NAMING or not isinstance(value, str):
        return value
    userid = value if fact == "owner" else None
    others.append(_share(sync, None if userid else value, userid, WAYS[where]))
    return {"share": len(others)}


def _share(sync: str | None, key: str | None, userid: str | None, content: str) -> Share:
    return Share(
        sync=sync,
        key=None if key is None else key[:KEY_LENGTH],
        userid_folded=None if userid is None else fold(userid)[:USERID_LENGTH],
        salt=os.urandom(SALT_BYTES).hex(),
        content=content,
    )


def _fields(fields: Mapping[str, FieldChange]) -> dict[str, list[Any]]:
    return {name: [_kept(values.before), _kept(values.after)] for name, values in fields.items()}


def _kept(value: Value) -> Any:
    return {"unknown": True} if value is UNKNOWN else value


def _to_deed(said: Mapping[str, Any], shares: Mapping[int, Share]) -> Deed:
    kind = Kind(said["kind"])
    own = said
    key, userid = said.get("key"), said.get("id")
    facts = {name: said.get(f"{name}_facts", {}) for name in ("why", "hint")}
    if kind is Kind.MEMBER:
        share = shares.get(0)
        own = {} if share is None else json.loads(share.content)
        key = None if share is None else share.key
        userid = own.get("id")
        facts = {name: own.get(name, {}) for name in ("why", "hint")}
    ways: dict[str, list[str]] = {"in": [], "out": []}
    for share in shares.values() if kind is Kind.TAG else ():
        ways[json.loads(share.content)["as"]].append(share.userid_folded or "")
    return Deed(
        kind=kind,
        verb=Verb(said["verb"]),
        call=said.get("call"),
        n=said.get("n"),
        step=said.get("step"),
        state=OutcomeState(said["state"]),
        errcode=said.get("errcode"),
        key=key,
        id=userid,
        name=own.get("name"),
        fields={
            name: FieldChange(*(_to_value(value, shares) for value in values))
            for name, values in own.get("fields", {}).items()
        },
        joined=tuple(ways["in"]),
        left=tuple(ways["out"]),
        why=_filled(said.get("why"), facts["why"], shares),
        hint=_filled(said.get("hint"), facts["hint"], shares),
        is_temporary=said.get("temporary", False),
        is_settled=said.get("settled", False),
        erased=len(said.get("shares", ())) - len(shares),
    )


def _filled(template: str | None, facts: Mapping[str, Any], shares: Mapping[int, Share]) -> Message | None:
    if template is None:
        return None
    named = {name: GONE for _, name, _, _ in Formatter().parse(template) if name}
    return Message(template, named | {name: _to_value(value, shares) for name, value in facts.items()})


def _to_value(kept: Any, shares: Mapping[int, Share]) -> Any:
    if isinstance(kept, dict) and "share" in kept:
        share = shares.get(kept["share"])
        return GONE if share is None else share.key or share.userid_folded
    if isinstance(kept, dict):
        return UNKNOWN
    return tuple(_to_value(each, shares) for each in kept) if isinstance(kept, list) else kept


# Runs


def _begun(begun: Begun) -> dict[str, Any]:
    return {
        "is": "begun",
        "verb": begun.verb,
        "trigger": begun.trigger,
        "digest": begun.digest,
        "sources": begun.sources,
        "approved_by": begun.approved_by,
        "lifted": [[each.name, each.detail, each.count, each.allowed] for each in begun.lifted],
    }


def _to_begun(said: Mapping[str, Any]) -> Begun:
    lifted = (
        Lifted(name=name, detail=detail, count=count, allowed=allowed)
        for name, detail, count, allowed in said["lifted"]
    )
    return Begun(
        verb=said["verb"],
        trigger=said["trigger"],
        digest=said["digest"],
        sources=tuple(said["sources"]),
        approved_by=said["approved_by"],
        lifted=tuple(lifted),
    )


def _message(message: Message) -> dict[str, Any]:
    return {"template": message.template, "facts": dict(message.facts)}


def _to_message(said: Mapping[str, Any] | None) -> Message | None:
    return None if said is None else Message(said["template"], said["facts"])


def shares_digests(said: Mapping[str, Any]) -> Sequence[str]:
    """The digests of a line's shares, in their order."""
    return cast("Sequence[str]", said.get("shares", ()))
