"""The gettext catalogues, read from their .po files when a language is first asked for."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

LANGUAGES: Final[tuple[str, ...]] = ("zh", "en")
"""The languages that a report can be made in; English is the templates themselves."""


@cache
def catalogue(language: str) -> Catalog:
    """The translations into `language`; for English, and for a language that is not known, none."""
    if language not in LANGUAGES or language == "en":
        return Catalog(locale="en")
    path = files("wxsync.report").joinpath("locale", language, "LC_MESSAGES", "wxsync.po")
    with path.open("rb") as stream:
        return read_po(stream, locale=language)


def looked_up(english: str, language: str, context: str | None = None) -> str:
    """The translation of `english`, or `english` where the catalogue has none."""
    found = catalogue(language).get(english, context)
    return found.string if found is not None and isinstance(found.string, str) and found.string else english
