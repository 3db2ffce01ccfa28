"""Personal data of Cloud accounts: reported to Atlassian in cycles, erased when told.

What is stored of an account is its id, its name and the sites that it reaches, on
`Grant` rows. Atlassian wants to hear of each account once per cycle, and answers whose
data must go or be read again. Nothing here is ever logged but counts.

    claim     which accounts are due; one worker takes each of them
    report    a token that may report, the calls, and what follows from the answers
    refusal   nobody may report: operators are told
    account   one account's data: erased, or read again

Reference: https://developer.atlassian.com/cloud/jira/platform/user-privacy-developer-guide/
"""

from __future__ import annotations

from confluence_link.personal_data.account import erase, read_again
from confluence_link.personal_data.refusal import unreported_apps
from confluence_link.personal_data.report import report_accounts

__all__ = ["erase", "read_again", "report_accounts", "unreported_apps"]
