"""Long texts in a column."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import repeat

import pytest

from wxsync.mirror import journal
from wxsync.mirror.documents import LONGEST_PLAIN, MARK, packed, unpacked
from wxsync.mirror.store import Store


def test_a_text_that_is_not_very_long_stays_as_it_is():
    """Whoever looks into the database reads it; up to the limit, and not above it."""
    assert packed(['{"名', '": 1}']) == '{"名": 1}'
    assert packed([]) == ""
    assert packed(repeat("x", LONGEST_PLAIN)) == "x" * LONGEST_PLAIN


@pytest.mark.parametrize("pieces", [["林" * (LONGEST_PLAIN + 1)], ["林梅"] * LONGEST_PLAIN])
def test_a_very_long_text_is_compressed_and_comes_back_whole(pieces: list[str]):
    """However it was cut; what is kept is ASCII and a fraction of it."""
    kept = packed(iter(pieces))
    assert kept.startswith(MARK)
    assert kept.isascii()
    assert len(kept) < LONGEST_PLAIN / 50
    assert unpacked(kept) == "".join(pieces)


def test_what_was_kept_before_there_was_compression_is_read_as_it_is():
    """It begins as JSON does."""
    assert unpacked('{"format": "wxsync-plan/1"}') == '{"format": "wxsync-plan/1"}'


def test_every_database_takes_a_plan_of_many_millions_of_characters(store: Store):
    """MariaDB takes no statement of more than 16 MiB; the plan is read as it was given."""
    pieces = ['{"changes": "', *repeat("林梅 13800000001 ", 1_500_000), '"}']
    with store.transaction() as connection:
        run = journal.start_run(
            connection,
            sync="acme",
            corp="acme",
            trigger="manual",
            started_at=datetime(2026, 3, 2, tzinfo=UTC),
        )
        journal.save_plan(connection, run, digest="sha256:ab", document=packed(iter(pieces)))
    with store.reading() as connection:
        history = journal.run(connection, run)
    assert history is not None
    assert history.document == "".join(pieces)
