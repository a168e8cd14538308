"""The gate that every source passes: what it observed while it read, and whether that proves it read all.

Who cannot show that a reading is whole has it called incomplete; then nobody is removed. No gate sees
what is wrong and whole: docs/safety.md, "What no proof can see".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from wxsync.model.desired import ReadingProof
from wxsync.model.message import Message, say


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a source observed while it read one query. Whatever it left out speaks against it."""

    rows: int
    has_ended: bool
    """The source itself said that there is nothing more: an exhausted cursor, an empty paging cookie."""
    broken: Message | None = None
    """Why it ended early, where it said so."""
    counted: int | None = None
    """How many an independent second look found; None where it failed or was not taken."""
    uncounted: Message | None = None
    """Why there was no second look, or why what it found cannot be held against the rows."""
    strays: int = 0
    """Records in one look and not in the other, which no creation in between explains."""
    created: int = 0
    """Records in the second look alone that were created after the first had begun."""
    is_watched: bool = False
    """The source has an identity that can change while it is read: `before` and `after` count."""
    before: str | None = None
    """Who the server said was reading before the first row; None where it did not say."""
    after: str | None = None
    referrals: tuple[str, ...] = ()
    """Hosts that hold a part of what was asked for, were not read and are not declared."""


def prove(source: str, query: str, evidence: Evidence) -> ReadingProof:
    """Complete where nothing in the evidence speaks against it; else the first problem, in words."""
    problem = next(_problems(evidence), None)
    return ReadingProof(
        source=source,
        query=query,
        rows=evidence.rows,
        is_complete=problem is None,
        problem=problem,
    )


def with_canaries(proof: ReadingProof, canaries: Iterable[str], keys: Collection[str]) -> ReadingProof:
    """The same, incomplete where one of the people is not among `keys` who the config says always are.

    `keys` are what the mapping made of the rows, so this is asked when all rows are mapped.
    """
    missing = [canary for canary in canaries if canary not in keys]
    if not missing or not proof.is_complete:
        return proof
    problem = say("{canaries} of canaries was not in it", canaries=", ".join(missing))
    return replace(proof, is_complete=False, problem=problem)


def _problems(evidence: Evidence) -> Iterator[Message]:
    if evidence.broken is not None:
        yield evidence.broken
    if not evidence.has_ended:
        yield say("it was not read to its end")
    if evidence.is_watched:
        yield from _about_identity(evidence)
    yield from _about_the_second_look(evidence)
    if evidence.referrals:
        yield say(
            "a part of it is on {hosts}, which was not read and is not declared in referrals",
            hosts=", ".join(evidence.referrals),
        )


def _about_identity(evidence: Evidence) -> Iterator[Message]:
    if evidence.before is None or evidence.after is None:
        yield say("the server does not say as whom it lets wxsync read")
    elif evidence.before != evidence.after:
        yield say("the server let wxsync read as somebody else at the end than at the beginning")


def _about_the_second_look(evidence: Evidence) -> Iterator[Message]:
    if evidence.uncounted is not None:
        yield evidence.uncounted
    elif evidence.counted is None:
        yield say("it was not counted a second time")
    elif evidence.counted - evidence.created == evidence.rows and not evidence.strays:
        return
    elif evidence.counted != evidence.rows:
        yield say(
            "it gave {rows} rows, and {count} when it was counted once more",
            rows=evidence.rows,
            count=evidence.counted,
        )
    else:
        yield say(
            "two looks at it were not the same: {strays} entries were in one alone", strays=evidence.strays
        )
