"""What functions-framework loads: every entry point. FUNCTION_TARGET names the one that this process serves.

An email's way: gmail_push reads what was sent since the last push and publishes a message for each email;
analyze_email fetches, reads and extracts it, and records the time entries. What a user asks, tools answers.
rescans starts, shows and cancels rescans of a mailbox's past; rescan_page reads it, a page a message.
mailbox connects and disconnects a mailbox; maintenance keeps all of it going; my_data gives a user everything that is
stored about them, or deletes it.
"""

import os

from functions.analyze_email import analyze_email
from functions.gmail_push import gmail_push
from functions.mailbox import mailbox
from functions.maintenance import maintenance
from functions.my_data import my_data
from functions.rescan_page import rescan_page
from functions.rescans import rescans
from functions.start import prepare
from functions.tools import tools

__all__ = [
    "analyze_email",
    "gmail_push",
    "mailbox",
    "maintenance",
    "my_data",
    "rescan_page",
    "rescans",
    "tools",
]

prepare(os.environ)
