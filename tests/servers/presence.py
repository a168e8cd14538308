"""The one rule about servers and abilities that are not there."""

from __future__ import annotations

import os

import pytest


def require(*, package: str, present: bool) -> None:
    """Go on where the package is there; else skip and name it, or fail under WXSYNC_REQUIRE_SERVERS=1."""
    require_ability(
        f"the Debian package {package} (make servers, or apt-get install {package})", present=present
    )


def require_ability(what: str, *, present: bool) -> None:
    """The same for what the machine must let a test do, such as mounting."""
    if present:
        return
    reason = f"needs {what}"
    if os.environ.get("WXSYNC_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{reason}; WXSYNC_REQUIRE_SERVERS=1 forbids a skip", pytrace=False)
    pytest.skip(reason)
