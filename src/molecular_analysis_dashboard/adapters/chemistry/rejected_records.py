"""Rejections that reading itself gives, before chemistry sees a record."""

from molecular_analysis_dashboard.adapters.chemistry.text_lines import MAX_RECORD_BYTES
from molecular_analysis_dashboard.domain.ligands import LigandRecord, RejectedRecord
from molecular_analysis_dashboard.domain.rejections import SENTENCES, RejectionReason

Record = LigandRecord | RejectedRecord


def too_long(line: int) -> RejectedRecord:
    """Return the rejection of a record beyond `MAX_RECORD_BYTES`."""
    detail = f"The record is longer than {MAX_RECORD_BYTES / 1e6:g} MB."
    return rejected(line, "", "", RejectionReason.UNREADABLE_RECORD, detail)


def rejected(line: int, name: str, text: str, reason: RejectionReason, detail: str = "") -> RejectedRecord:
    """Return a rejection with the reason's sentence."""
    return RejectedRecord(line, name, text, reason, f"{SENTENCES[reason]} {detail}".strip())
