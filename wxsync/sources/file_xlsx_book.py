"""A workbook as openpyxl reads it.

A module of its own, which `wxsync.sources.file_xlsx` loads for its first workbook: openpyxl takes 5 MB and a
tenth of a second, which only those pay who have workbooks.
"""

from __future__ import annotations

import io

from openpyxl import Workbook, load_workbook


def open_book(content: bytes) -> Workbook:
    """Row by row, and with the values that formulas had; raises what openpyxl and the parsers raise."""
    return load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
