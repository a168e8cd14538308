"""Files that the config names, beside the config file where their path is relative."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationInfo

from wxsync.config.secrets import Surroundings


def around(info: ValidationInfo) -> Surroundings | None:
    """What the config file is read in; None where the settings come from no file."""
    return info.context if isinstance(info.context, Surroundings) else None


def placed_file(path: Path | None, info: ValidationInfo) -> Path | None:
    """Beside the config file where it is relative, and there."""
    surroundings = around(info)
    if path is None or surroundings is None:
        return path
    if not (placed := surroundings.place(path)).is_file():
        raise ValueError(f"there is no file {placed}")
    return placed
