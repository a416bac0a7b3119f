"""What functions-framework loads: every entry point. FUNCTION_TARGET names the one that this process serves.

An email's way: gmail_push reads what was sent since the last push and publishes a message for each email;
analyze_email fetches, reads and extracts it, and records the time entries.
"""

import os

from functions.analyze_email import analyze_email
from functions.gmail_push import gmail_push
from functions.start import prepare

__all__ = ["analyze_email", "gmail_push"]

prepare(os.environ)
