"""What entries of a directory are spoken of by: their attributes, and what every entry has beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from pydantic import AfterValidator

from wxsync.config.table import ATTRIBUTE, Text

OF_EVERY_ENTRY: Final = frozenset({"dn", "parent_dn", "rdn", "disabled", "expired", "locked"})
"""Names that every row of a directory has; none of them is an attribute."""

PHOTOS: Final = frozenset({"audio", "jpegphoto", "photo", "thumbnaillogo", "thumbnailphoto"})
"""Attributes that are never asked for: a hundred kilobytes a person, and no field of WeCom's takes them."""

IDENTITIES: Final = frozenset({"entryuuid", "objectguid"})
"""What the default key names: each directory has one of them, and the other one is null there."""

RESERVED: Final = OF_EVERY_ENTRY | PHOTOS | IDENTITIES | {"objectclass"}
"""In lower case, what keeps its meaning whatever the config calls its attributes."""


def base_of(attribute: str) -> str:
    """The attribute in lower case and without options such as `;binary`."""
    return attribute.lower().partition(";")[0]


def _checked(names: dict[str, str]) -> dict[str, str]:
    problems = [*_about_names(names), *_about_attributes(names)]
    if problems:
        raise ValueError("; ".join(problems))
    ready = {name: each.lower() for name, each in names.items() if each.lower() in OF_EVERY_ENTRY}
    return {**names, **ready}


def _about_names(names: Mapping[str, str]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for name in names:
        if base_of(name) in RESERVED:
            yield f'"{name}" means something already: choose another name'
        if (other := seen.setdefault(name.lower(), name)) != name:
            yield f'"{name}" and "{other}" are one name: case does not count'


def _about_attributes(names: Mapping[str, str]) -> Iterator[str]:
    for name, attribute in names.items():
        if base_of(attribute) in PHOTOS:
            yield f'"{name}" stands for {attribute}, and photos are never read from a directory'
        elif attribute.lower() not in OF_EVERY_ENTRY and not ATTRIBUTE.fullmatch(attribute):
            yield f'"{name}" stands for no attribute: those have letters, digits and -'


AttributeNames = Annotated[dict[Text, Text], AfterValidator(_checked)]
"""A name in expressions -> the attribute that it stands for, or one of OF_EVERY_ENTRY."""
