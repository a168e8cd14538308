"""What one sync claims for its people, in a form that others can compare and not read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """A value that no two members of a corp may share."""

    field: str
    """"userid", "mobile" or "email"."""
    value_hash: str
    """The SHA-256, in hexadecimal, of the value in its normal form."""
