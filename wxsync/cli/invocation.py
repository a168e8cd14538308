"""What is known of one `wxsync` command line, also where click could not make sense of it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True, kw_only=True)
class Invocation:
    """One command line: how its errors are told. It is filled as the command goes on."""

    as_json: bool = False
    asked_language: str | None = None
    """By `--language`."""
    config: Path | None = None
    """By `--config` before the command."""
    configured_language: str | None = None
    """By `service.language`, once the config was read."""

    @property
    def language(self) -> str:
        return self.asked_language or self.configured_language or "en"


def invocation_of(arguments: Sequence[str]) -> Invocation:
    """What errors must know of the arguments before anything is read."""
    return Invocation(
        as_json=_given(arguments, "--format") == "json", asked_language=_given(arguments, "--language")
    )


def _given(arguments: Sequence[str], option: str) -> str | None:
    """The option's value, the last one where it stands there several times."""
    found = None
    for before, word in itertools.pairwise(["", *arguments]):
        if before == option:
            found = word
        elif word.startswith(f"{option}="):
            found = word.removeprefix(f"{option}=")
    return found
