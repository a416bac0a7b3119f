"""Connecting mailboxes and disconnecting them: consent, delegation, and what Google is told in the end."""
