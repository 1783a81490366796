"""Validation reports: what a judgement says, for people (a page) and for programs (JSON after ETSI TS 119 102-2)."""

from seal.reporting.etsi import MEDIA_TYPE as ETSI_MEDIA_TYPE
from seal.reporting.etsi import etsi_report
from seal.reporting.human import human_report, page_policy

__all__ = ["ETSI_MEDIA_TYPE", "etsi_report", "human_report", "page_policy"]
