"""What is kept of the userid of somebody who was erased: enough to give it to nobody else."""

from __future__ import annotations

import hashlib
from typing import Final

HASHED: Final = "~"
"""Before the hash; no userid has it in it (WeCom page 90195)."""
DIGITS: Final = 60


def taken_hash(folded: str) -> str:
    """The hash of a userid. Whoever has the mirror and guesses the userid can see that it was one."""
    hashed = hashlib.sha256(f"wxsync-taken/1\n{folded}".encode()).hexdigest()
    return HASHED + hashed[:DIGITS]
