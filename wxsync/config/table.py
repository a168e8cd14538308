"""What all tables of the config have in common, and the plain types of their values."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StringConstraints


class Table(BaseModel):
    """One table of the config file: frozen, and without a key that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=False)


ATTRIBUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*(?:;[A-Za-z0-9-]+)*")
"""What an attribute of a directory is called, with options (RFC 4512 §2.5)."""


def _attribute(text: str) -> str:
    if not ATTRIBUTE.fullmatch(text):
        raise ValueError("is no attribute of a directory: those have letters, digits and -")
    return text


def _query(text: str) -> str:
    """The statement alone: it is also counted as a subquery, where a semicolon is a fault."""
    statement = text.rstrip("; \t\r\n")
    if not statement:
        raise ValueError("is empty")
    return statement


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Attribute = Annotated[Text, AfterValidator(_attribute)]
Query = Annotated[Text, AfterValidator(_query)]
WholeNumber = Annotated[int, Strict(), Field(ge=0)]
PositiveNumber = Annotated[int, Strict(), Field(ge=1)]
Switch = Annotated[bool, Strict()]
"""true or false, not "yes" and not 1."""

Name = Annotated[str, StringConstraints(pattern=r"^[\w-]{1,64}$")]
"""A table's own name: it becomes part of paths and of the mirror's keys."""
