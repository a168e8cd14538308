"""Database URLs: read, made absolute, and held against what this version speaks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from wxsync.config.secrets import IN_URL, Secret, Surroundings

DRIVERS: Final[Mapping[str, str]] = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "mariadb": "mariadb+pymysql",
    "mariadb+pymysql": "mariadb+pymysql",
    "mysql": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "mssql": "mssql+pymssql",
    "mssql+pymssql": "mssql+pymssql",
    "oracle": "oracle+oracledb",
    "oracle+oracledb": "oracle+oracledb",
}
"""A URL's scheme -> the dialect and driver that wxsync uses for it."""

SOURCE_DIALECTS: Final = ("sqlite", "postgresql", "mariadb", "mysql", "mssql", "oracle")
MIRROR_DIALECTS: Final = ("sqlite", "postgresql", "mariadb", "mysql")


def check_database_url(text: str, *, dialects: Collection[str], around: Surroundings | None) -> str:
    """The URL with its driver named and an SQLite file's path absolute; never shows the URL in errors."""
    url = _parsed(text)
    dialect, _, driver = url.drivername.partition("+")
    if dialect not in dialects:
        meant = get_close_matches(dialect, dialects, n=1)
        hint = f'Did you mean "{meant[0]}://"?' if meant else f"Supported are {', '.join(dialects)}"
        raise ValueError(f'the database "{dialect}" is not supported by this version. {hint}')
    if url.drivername not in DRIVERS:
        raise ValueError(f'the driver "{driver}" is not supported: write {dialect}:// alone')
    url = url.set(drivername=DRIVERS[url.drivername])
    if "password" in url.query:
        raise ValueError("must not hold a password in its query: give it by password = … beside it")
    if dialect == "sqlite":
        url = url.set(database=_sqlite_file(url, around))
    return url.render_as_string(hide_password=False)


def without_password(data: Any) -> Any:
    """A table whose URL holds a password, with the password taken out of it into a `Secret`.

    So the URL may be shown. Anything that is not such a table comes back as it is.
    """
    if not isinstance(data, dict) or "password" in data or not isinstance(data.get("url"), str):
        return data
    try:
        url = make_url(data["url"])
    except (ArgumentError, ValueError):
        return data
    if not url.password:
        return data
    bare = url._replace(password=None).render_as_string(hide_password=False)
    return {**data, "url": bare, "password": Secret(str(url.password), IN_URL)}


def has_password(text: str) -> bool:
    """The URL itself holds a password."""
    return bool(make_url(text).password)


def full_url(text: str, password: Secret | None) -> URL:
    """The URL to connect with. Its `repr` masks the password; `str()` of it does too."""
    url = make_url(text)
    return url if password is None else url.set(password=password.get_secret_value())


def _parsed(text: str) -> URL:
    try:
        return make_url(text)
    except (ArgumentError, ValueError):
        # "from None": the cause may quote the URL with its password.
        raise ValueError(
            'is not a database URL such as "sqlite:///hr.db" or "postgresql://user@host/database"'
        ) from None


def _sqlite_file(url: URL, around: Surroundings | None) -> str:
    name = url.database or ""
    prefix = "file:" if name.startswith("file:") else ""
    path = name.removeprefix(prefix)
    if not path or path.startswith(":memory:"):
        raise ValueError('names no file: write "sqlite:///" and the path of the file')
    return prefix + str(around.place(path) if around else Path(path))
