"""An encoder that can't be loaded is no reading of an email: nothing is put on record, the delivery is tried again."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from shared import analyst as module
from shared.analyst import Analyst
from shared.errors import EncoderMissing
from shared.extraction import Context, Found
from shared.gmail.client import SENT, FetchedEmail
from shared.mail.email import Email
from shared.store.analyses import ReadingContext, TimekeeperSettings


async def test_an_email_that_this_process_cannot_read_is_left_for_the_next_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(_email: Email, _context: Context) -> Found:
        raise EncoderMissing("the encoder can't be loaded: OSError")

    monkeypatch.setattr(module, "extract", missing)
    raw = b"From: a@firm.example\nTo: b@firm.example\nSubject: Ortiz\n\nThe lien took two hours.\n"
    context = ReadingContext(user_id=uuid4(), settings=TimekeeperSettings(), matters=())

    with pytest.raises(EncoderMissing):
        await Analyst().read(FetchedEmail("1", frozenset({SENT}), datetime.now(UTC), raw), context, "c0ffee")
