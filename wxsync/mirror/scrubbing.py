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

READABLE: Final = json.JSONEncoder(ensure_ascii=False, indent=2)
NAMING: Final = frozenset({"members", "foreign_members", "direct_leader", "keys", "key", "owner", "userid"})
"""Names of values that are keys or userids of people."""
FACTS: Final = "facts"
TEXTS: Final = frozenset({"why", "problem", "hint", "error", FACTS})
"""Names of texts for people."""
KEPT: Final = frozenset({"n", "kind", "source", "query", "rule", "temporary"})
"""What of an entry about somebody says nothing of them."""


class Scrubber:
    """Knows one person's names, and what a text is without them.

    Keys of different syncs of a corp look alike: somebody of another sync with an equal key is taken out of
    texts too, where a text does not say of which sync it speaks.
    """

    def __init__(self, person: Person) -> None:
        self._keys = frozenset(key for _, key in person.keys)
        self._userids = person.userids
        names = sorted(self._keys | self._userids, key=len, reverse=True)
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
        """The same of a plan, laid out as plans are, in pieces. An entry about them keeps its number."""
        if self._word.search(text) is None:
            return None
        before = json.loads(text)
        after = self._without(before, None)
        return None if after == before else READABLE.iterencode(after)

    def is_theirs(self, name: object) -> bool:
        """It is one of their keys, or one of their userids."""
        return isinstance(name, str) and (name in self._keys or fold(name) in self._userids)

    def _without(self, value: Any, name: str | None) -> Any:
        match value:
            case dict():
                if value.get("kind", Kind.MEMBER) == Kind.MEMBER and self._is_about(value):
                    return self._emptied(value)
                return {each: self._without(said, _named(each, name)) for each, said in value.items()}
            case list():
                others = (each for each in value if not (name in NAMING and self.is_theirs(each)))
                return [self._without(each, name) for each in others]
            case str():
                if name in NAMING:
                    return GONE if self.is_theirs(value) else value
                return self._word.sub(GONE, value) if name in TEXTS else value
            case _:
                return value

    def _is_about(self, said: Mapping[str, Any]) -> bool:
        return any(self.is_theirs(said.get(name)) for name in ("key", "id", "userid"))

    def _emptied(self, said: Mapping[str, Any]) -> dict[str, Any]:
        emptied = {name: value for name, value in said.items() if name in KEPT}
        if "verb" in said:  # a change: nothing is to be concluded from it any more
            emptied |= {"verb": Verb.KEEP.value, "key": None, "id": None, "name": None, "fields": {}}
            emptied["why"] = GONE
        return emptied


def _named(name: str, around: str | None) -> str | None:
    """What a value is called: before and after are values of the field around them, and facts are facts."""
    return around if name in ("before", "after") or around == FACTS else name
