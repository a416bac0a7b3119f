"""What is saved: emails that need no model, and scans of mail that was read before."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from shared.analyst import Analyst
from shared.gmail.client import SENT, FetchedEmail
from shared.settings import ToolsSettings
from shared.store.analyses import ReadingContext
from shared.wiring import judge
from tests.performance.firm import Firm
from tests.performance.sample import lately, sent_mail, some

# With quota to spare in a minute, so that it is reading that is measured.
EMAILS = 100
SCANS = 3


async def llm_avoided(firm: Firm) -> dict[str, Any]:
    """The share (0 to 1) of the sample's sent emails about which the rules leave nothing to ask the model.

    The analyst that scans use says so of each email, in this process, with a model set up.
    """
    mail = sent_mail()
    doubtful = await in_doubt(firm, mail)
    return {"llm_avoided": round(1 - len(doubtful) / len(mail), 3), "llm_avoided_emails": len(mail)}


async def in_doubt(firm: Firm, mail: Sequence[bytes]) -> list[bytes]:
    """Those of the emails about which a model would be asked."""
    model = judge(ToolsSettings.from_environ(firm.stack.function_settings()))
    if model is None:
        raise RuntimeError("no model is set up")
    analyst = Analyst(model)
    lawyer = await firm.lawyer(())
    context = ReadingContext(user_id=lawyer.user.id, settings=None, matters=())
    readings = [await analyst.read(_fetched(raw), context, "bench") for raw in lately(mail)]
    return [
        raw
        for raw, reading in zip(mail, readings, strict=True)
        if reading.read is not None and reading.read.question is not None
    ]


async def cache_hit_rate(firm: Firm) -> dict[str, Any]:
    """Three scans of one mailbox of 100 emails: the share (0 to 1) of emails that were not read anew.

    `llm_calls_repeated`: calls of the model in the second and third scan, as the model's own side counts them.
    `api_calls`: of Gmail, as its quota counts them; `naive`: what three scans without a memory would make.
    """
    lawyer = await firm.lawyer(some(sent_mail(), EMAILS))
    scans = [await lawyer.asking.scan(max_emails=EMAILS)]
    asked = (await firm.model_stats())["requests"]
    scans += [await lawyer.asking.scan(max_emails=EMAILS) for _ in range(SCANS - 1)]
    asked_again = (await firm.model_stats())["requests"] - asked
    hits, misses = (sum(scan[counter] for scan in scans) for counter in ("cache_hits", "cache_misses"))
    return {
        "cache_hit_rate": round(hits / (hits + misses), 3),
        "llm_calls_first": scans[0]["llm_calls"],
        "llm_calls_repeated": asked_again,
        "api_calls": {
            "first": scans[0]["api_calls_made"],
            "repeated": sum(scan["api_calls_made"] for scan in scans[1:]),
            "naive": SCANS * scans[0]["api_calls_made"],
        },
    }


def _fetched(raw: bytes) -> FetchedEmail:
    now = datetime.now(UTC)
    return FetchedEmail(id="bench", label_ids=frozenset({SENT}), received_at=now, raw=raw)
