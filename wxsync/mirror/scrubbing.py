"""One person taken out of texts that name others too: plans, steps, hints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from wxsync.mirror.audit_text import GONE
from wxsync.mirror.people import Person
from wxsync.mirror.values import as_text
from wxsync.model.change import Kind, Verb
from wxsync.model.member import fold
from wxsync.model.plan import LEFT_DIGEST, document_digest, noted_digest

READABLE: Final = json.JSONEncoder(ensure_ascii=False, indent=2)
KEYS: Final = frozenset({"members", "direct_leader", "led", "keys", "key"})
"""Names of values that are keys of people."""
USERIDS: Final = frozenset({"foreign_members", "owner", "userid", "id"})
"""Names of values that are userids of people, where they are texts."""
NAMING: Final = KEYS | USERIDS
FACTS: Final = "facts"
TEXTS: Final = frozenset({"why", "problem", "hint", "error", FACTS})
"""Names of texts for people."""
KEPT: Final = frozenset({"n", "kind", "source", "query", "rule", "temporary"})
"""What of an entry about somebody says nothing of them."""


class Scrubber:
    """Knows one person's names, and what a text of a sync is without them.

    A key is one of this sync: in another one somebody else may have an equal one. And a key is no userid: one
    person's may be equal to another's. In words for people, where nobody can tell, every name is taken out.
    """

    def __init__(self, person: Person, sync: str) -> None:
        self._keys = frozenset(key for of, key in person.keys if of == sync)
        everywhere = {key for _, key in person.keys}
        self._userids = person.userids
        names = sorted(everywhere | self._userids, key=len, reverse=True)
        self._word = re.compile(
            rf"(?<![\w@.-])(?:{'|'.join(map(re.escape, names))})(?![\w@-])", re.IGNORECASE
        )

    def in_words(self, text: str | None) -> str | None:
        """A text for people without their names; None where it does not name them."""
        if text is None or self._word.search(text) is None:
            return None
        return self._word.sub(GONE, text)

    def in_json(self, text: str | None) -> str | None:
        """The same of a JSON text, which stays one; whatever is about them is emptied."""
        if text is None or self._word.search(text) is None:
            return None
        before = json.loads(text)
        after = self._without(before, None)
        return None if after == before else as_text(after)

    def in_document(self, text: str) -> Iterator[str] | None:
        """The same of a plan, laid out as plans are, in pieces. An entry about them keeps its number.

        It notes the digest of what is left, so that it can be told from one that was altered; one that was
        altered before stays without.
        """
        if self._word.search(text) is None:
            return None
        before = json.loads(text)
        after = self._without(before, None)
        if after == before:
            return None
        if _is_as_noted(before):
            after[LEFT_DIGEST] = document_digest(after)
        return READABLE.iterencode(after)

    def is_theirs(self, name: str | None, value: object) -> bool:
        """It is theirs, a key or a userid as it is called."""
        if not isinstance(value, str):
            return False
        return value in self._keys if name in KEYS else name in USERIDS and fold(value) in self._userids

    def _without(self, value: Any, name: str | None) -> Any:
        match value:
            case dict():
                if value.get("kind", Kind.MEMBER) == Kind.MEMBER and self._is_about(value):
                    return self._emptied(value)
                return {each: self._without(said, _named(each, name)) for each, said in value.items()}
            case list():
                others = (each for each in value if not self.is_theirs(name, each))
                return [self._without(each, name) for each in others]
            case str():
                if name in NAMING:
                    return GONE if self.is_theirs(name, value) else value
                return self._word.sub(GONE, value) if name in TEXTS else value
            case _:
                return value

    def _is_about(self, said: Mapping[str, Any]) -> bool:
        return any(self.is_theirs(name, said.get(name)) for name in ("key", "id", "userid"))

    def _emptied(self, said: Mapping[str, Any]) -> dict[str, Any]:
        emptied = {name: value for name, value in said.items() if name in KEPT}
        if "verb" in said:  # a change: nothing is to be concluded from it any more
            emptied |= {"verb": Verb.KEEP.value, "key": None, "id": None, "name": None, "fields": {}}
            emptied["why"] = GONE
        return emptied


def _named(name: str, around: str | None) -> str | None:
    """What a value is called: before and after are values of the field around them, and facts are facts."""
    return around if name in ("before", "after") or around == FACTS else name


def _is_as_noted(plan: Mapping[str, Any]) -> bool:
    """One that is damaged is erased from all the same."""
    try:
        return document_digest(plan) == noted_digest(plan)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
