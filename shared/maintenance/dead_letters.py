"""Dead letters get another chance: published to where they came from, a few times; then their ids are kept."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from pydantic import BaseModel, ValidationError

from shared.errors import PublishFailed
from shared.maintenance.tasks import Deadline, Done, code_of, correlation
from shared.pubsub.dead_letters import DeadLetter, DeadLetters
from shared.pubsub.decode import CORRELATION_ATTRIBUTE
from shared.pubsub.messages import GmailPush, RescanPage, SentEmail
from shared.pubsub.publish import Publisher
from shared.store.maintenance import KeptLetter, MaintenanceStore

NAME: Final = "replay_dead_letters"
MOST_REPLAYS: Final = 3
A_PULL: Final = 100
MOST_CHARACTERS: Final = 200
MALFORMED: Final = "malformed"
UNKNOWN_SOURCE: Final = "unknown_source"
IN_VAIN: Final = "replayed_in_vain"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Source:
    """A topic whose subscription gives messages up: what they are, and how they get there again."""

    kind: type[BaseModel]
    publisher: Publisher


@dataclass(frozen=True, slots=True)
class ReplayDeadLetters:
    """The parts that it takes. `sources`: by topic. `most`: letters a run."""

    letters: DeadLetters
    store: MaintenanceStore
    sources: Mapping[str, Source]
    most: int

    async def run(self, deadline: Deadline) -> Done:
        """Publish each letter again, or keep it, and only then let go of it; each once a run, however soon it is back.

        Raises PullFailed, PublishFailed where no topic took any, StoreUnavailable and StoreRefused; what isn't let go
        of comes again.
        """
        run = correlation(NAME)
        counts: Counter[str] = Counter(replayed=0, kept=0)
        failed: Counter[str] = Counter()
        while counts.total() < self.most and not deadline.is_over:
            # What fails at once would use up all its chances within minutes: the rest is for the next run.
            came = await self.letters.pull(min(A_PULL, self.most - counts.total()))
            pulled = [letter for letter in came if not letter.is_of(run)]
            if not pulled:
                return Done({**counts, "failed": dict(failed)})
            kept = {letter.message_id: row for letter in pulled if (row := self._to_keep(letter)) is not None}
            if kept:
                await self.store.keep_dead_letters(list(kept.values()))
                await self.letters.ack([letter for letter in pulled if letter.message_id in kept])
                counts["kept"] += len(kept)
                for row in kept.values():
                    log.warning("dead_letter.kept", **{name: row[name] for name in ("message_id", "topic", "reason")})
            error: PublishFailed | None = None
            for topic, source in self.sources.items():
                again = [each for each in pulled if each.message_id not in kept and each.source == topic]
                try:
                    await source.publisher.publish_as_is([(each.data, each.next_attributes(run)) for each in again])
                except PublishFailed as failure:
                    failed[code_of(failure, "dead_letter.not_replayed", topic=topic)] += len(again)
                    error = failure
                    continue
                await self.letters.ack(again)
                counts["replayed"] += len(again)
                if again:
                    log.info("dead_letter.replayed", topic=topic, letters=len(again))
            if error is not None:  # its letters come again soon, and would fail again
                if counts.total() == 0:
                    raise error
                break
        return Done({**counts, "failed": dict(failed)}, more=True)

    async def replay_kept(self, most: int) -> int:
        """Publish what is kept once more, at most so many; how many.

        Raises PublishFailed, StoreUnavailable and StoreRefused; what isn't published stays.
        """
        replayed, after = 0, ""
        while replayed < most:
            rows = await self.store.kept_dead_letters(after, min(A_PULL, most - replayed))
            if not rows:
                break
            after = rows[-1].message_id
            for topic, source in self.sources.items():
                letters = [row for row in rows if row.topic == topic]
                await source.publisher.publish_as_is([_message(row) for row in letters])
                # Only now: who dies before leaves them to be published twice, which changes nothing.
                await self.store.forget_dead_letters([row.message_id for row in letters])
                replayed += len(letters)
        return replayed

    def _to_keep(self, letter: DeadLetter) -> dict[str, Any] | None:
        """What to keep of a letter that isn't to be published again: ids, of which it holds no more. None: it is."""
        row = {
            "message_id": letter.message_id,
            "topic": letter.source[:MOST_CHARACTERS],
            "replays": letter.replays,
            "correlation_id": letter.attributes.get(CORRELATION_ATTRIBUTE, "")[:MOST_CHARACTERS],
        }
        source = self.sources.get(letter.source)
        if source is None:
            return {**row, "reason": UNKNOWN_SOURCE}
        try:
            message = source.kind.model_validate_json(letter.data)
        except ValidationError:
            return {**row, "reason": MALFORMED}
        if letter.replays < MOST_REPLAYS:
            return None
        # Of a push its address is looked up and not kept, and its history id is of no use any more.
        ids = message.model_dump(mode="json", include={"email_address", "mailbox_id", "email_id", "job_id", "step"})
        return {**row, "reason": IN_VAIN, **ids}


def _message(kept: KeptLetter) -> tuple[bytes, dict[str, str]]:
    """The message that a kept letter was, with the mailbox's address and watermark of today."""
    message: BaseModel
    if kept.job_id is not None:
        message = RescanPage(job_id=kept.job_id, step=kept.step or 0)
    elif kept.email_id is not None and kept.mailbox_id is not None:
        message = SentEmail(mailbox_id=kept.mailbox_id, email_id=kept.email_id)
    else:
        message = GmailPush.model_validate({"emailAddress": kept.email_address, "historyId": kept.history_id})
    return message.model_dump_json(by_alias=True).encode(), {CORRELATION_ATTRIBUTE: kept.correlation_id}
