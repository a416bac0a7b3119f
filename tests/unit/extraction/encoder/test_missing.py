"""A process without its encoder reads no mail that needs it: the mail waits for another one."""

from pathlib import Path

import pytest

from shared.errors import EncoderMissing
from shared.extraction.encoder import hearing as module


def test_an_encoder_that_cannot_be_loaded_is_the_process_s_fault_and_not_the_mail_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FOLDER", tmp_path)

    with pytest.raises(EncoderMissing, match="FileNotFoundError"):
        module.hearing.__wrapped__()
