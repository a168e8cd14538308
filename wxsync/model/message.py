"""Words for people, kept apart from their language until a report is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Message:
    """An English template that is also its own translation key, and the facts that fill it.

    `str()` gives the English; `wxsync.report.locale` gives any language. Templates use
    `str.format` fields by name and are literals at the place of use, so that a test can hold
    every one of them against the catalogue.
    """

    template: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template.format(**self.facts)


def say(template: str, /, **facts: object) -> Message:
    """A `Message` with its facts."""
    return Message(template, facts)
