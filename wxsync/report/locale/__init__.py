"""The languages of reports: `translate` for messages, `name_of` for the names of things."""

from wxsync.report.locale.catalogue import LANGUAGES, catalogue
from wxsync.report.locale.names import NAMES, field_name, name_of
from wxsync.report.locale.translate import joined, translate

__all__ = ["LANGUAGES", "NAMES", "catalogue", "field_name", "joined", "name_of", "translate"]
