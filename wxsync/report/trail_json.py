"""The audit trail as the JSON documents that other programs rely on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from wxsync.model.audit import AuditLine, AuditRecord, Begun, Deed, Erased, Pruned, Verdict
from wxsync.model.message import Message
from wxsync.model.plan import plain
from wxsync.model.unknown import UNKNOWN, Value
from wxsync.report.as_json import moment
from wxsync.report.locale import translate
from wxsync.report.masking import mask, mask_by_look, mask_message

AUDIT_FORMAT: Final = "wxsync-audit/1"


def trail_document(
    corp: str,
    lines: Iterable[AuditLine],
    runs: Mapping[int, Begun],
    *,
    language: str = "en",
    masked: bool = True,
) -> dict[str, Any]:
    """Lines of a corp's trail, the newest first, and what set off their runs."""
    return {
        "corp": corp,
        "lines": [_line(line, language, masked) for line in lines],
        "runs": {str(run_id): _begun(begun) for run_id, begun in sorted(runs.items())},
    }


def verdict_document(verdict: Verdict, language: str = "en") -> dict[str, Any]:
    """What a walk through a corp's trail found."""
    flaw = verdict.flaw
    return {
        "corp": verdict.corp,
        "is_whole": flaw is None,
        "lines": verdict.lines,
        "first": verdict.first,
        "head": verdict.head,
        "head_hash": verdict.head_hash,
        "erased": verdict.erased,
        "flaw": None if flaw is None else {"seq": flaw.seq, "problem": translate(flaw.problem, language)},
        "has_given_head": verdict.has_given_head,
    }


def _line(line: AuditLine, language: str, masked: bool) -> dict[str, Any]:
    return {
        "seq": line.seq,
        "at": moment(line.at),
        "sync": line.sync,
        "run": line.run_id,
        "hash": line.hash,
        **_record(line.record, language, masked),
    }


def _record(record: AuditRecord, language: str, masked: bool) -> dict[str, Any]:
    match record:
        case Deed():
            return {"is": "write", **_deed(record, language, masked)}
        case Begun():
            return {"is": "begun", **_begun(record)}
        case Erased():
            return {"is": "erased", "values": len(record.values), "why": translate(record.why, language)}
        case Pruned():
            return {"is": "pruned", "until": record.until, "until_hash": record.hash}


def _deed(deed: Deed, language: str, masked: bool) -> dict[str, Any]:
    def seen(name: str, value: Value) -> Any:
        return plain(mask(name, value) if masked and value is not UNKNOWN else value)

    def label(text: str) -> str:
        return mask_by_look(text) if masked else text

    def told(message: Message | None) -> str | None:
        return None if message is None else translate(mask_message(message) if masked else message, language)

    return {
        "kind": deed.kind.value,
        "verb": deed.verb.value,
        "call": deed.call,
        "n": deed.n,
        "step": deed.step,
        "state": deed.state.value,
        "errcode": deed.errcode,
        "key": None if deed.key is None else label(deed.key),
        "id": label(deed.id) if isinstance(deed.id, str) else deed.id,
        "name": deed.name,
        "fields": {
            name: {"before": seen(name, values.before), "after": seen(name, values.after)}
            for name, values in deed.fields.items()
        },
        "joined": [label(userid) for userid in deed.joined],
        "left": [label(userid) for userid in deed.left],
        "why": told(deed.why),
        "hint": told(deed.hint),
        "temporary": deed.is_temporary,
        "settled": deed.is_settled,
        "erased": deed.erased,
    }


def _begun(begun: Begun) -> dict[str, Any]:
    return asdict(begun)
