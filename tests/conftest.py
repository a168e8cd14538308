"""What every test may ask for: the private servers of tests/servers, and the same ground on every machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

pytest_plugins = [
    "tests.servers.postgres",
    "tests.servers.mariadb",
    "tests.servers.browser",
    "tests.servers.slapd",
    "tests.servers.samba",
]

# A busy machine is no failure, and a run that failed can be had again.
settings.register_profile("wxsync", deadline=None, derandomize=True)
settings.load_profile("wxsync")

# What a machine may have set and the product (or httpx, click, rich) would read.
FOREIGN = (
    "CREDENTIALS_DIRECTORY",
    "FORCE_COLOR",
    "NO_COLOR",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "WXSYNC_CONFIG",
)


@pytest.fixture(scope="session", autouse=True)
def plain_environment() -> Iterator[None]:
    """No test depends on what the machine's environment happens to say."""
    with pytest.MonkeyPatch.context() as patch:
        for name in FOREIGN:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Tests marked `anyio` run on asyncio, as the product does."""
    return "asyncio"
