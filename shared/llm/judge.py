"""Puts questions to the model. All doubts of an email go in one call, several emails of one user may share one."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from shared.errors import TenthsError
from shared.extraction.unsure import Limits, Question
from shared.extraction.verdicts import Answer
from shared.leave import Leave
from shared.llm.budget import BYTES_A_TOKEN, Budget, packed, tokens
from shared.llm.client import ChatClient
from shared.llm.prompt import StructuredOutput, instructions, message, passages, response_format
from shared.llm.schema import read_answer

_BYTES_A_DOUBT: Final = 350
"""Its number, its words and those near it, and the names of the fields."""
_FEWEST_BYTES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the user whose email asks it: no call holds the mail of two."""

    user_id: UUID
    question: Question


class Judge:
    """Lives with the process."""

    def __init__(self, client: ChatClient, *, budget: Budget, structured: StructuredOutput = "json_schema") -> None:
        self._client = client
        self._budget = budget
        self._structured = structured
        self._room = budget.prompt - tokens(instructions(full=True, structured=structured))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    @property
    def limits(self) -> Limits:
        """What one email may ask, so that it fits in a call with the instructions and with what each doubt adds."""
        doubts = self._budget.doubts
        return Limits(doubts, max(_FEWEST_BYTES, self._room * BYTES_A_TOKEN - doubts * _BYTES_A_DOUBT))

    async def judge(self, question: Question, leave: Leave | None = None) -> Answer:
        """The model's answer, unbelieved as yet. Raises ModelError's kinds.

        leave: awaited right before anything is sent; what it raises ends the call.
        """
        return (await self._ask([question], leave))[0]

    async def judge_many(self, asked: Sequence[Asked], leave: Leave | None = None) -> list[Answer | TenthsError]:
        """Each question's answer, or why there is none, in their order; as few calls as the budget allows.

        leave: as above, for each call anew; it speaks for all users whose emails these are.
        """
        results: list[Answer | TenthsError | None] = [None] * len(asked)

        async def one_call(group: list[int]) -> None:
            try:
                answers: Sequence[Answer | TenthsError] = await self._ask(
                    [asked[place].question for place in group], leave
                )
            except TenthsError as error:
                answers = [error] * len(group)
            for place, answer in zip(group, answers, strict=True):
                results[place] = answer

        async with asyncio.TaskGroup() as calls:
            for group in self._groups(asked):
                calls.create_task(one_call(group))
        return [result for result in results if result is not None]

    def calls_for(self, asked: Sequence[Asked]) -> int:
        """How many calls `judge_many` makes of these; one that is tried again counts once."""
        return sum(1 for _ in self._groups(asked))

    def _groups(self, asked: Sequence[Asked]) -> Iterable[list[int]]:
        """Places of questions that share a call: of one user, and within the budget."""
        sizes: dict[UUID, list[tuple[int, int, int]]] = {}
        for place, each in enumerate(asked):
            if each.question.full:
                yield [place]  # what it names by itself belongs to no number, so it must be alone
                continue
            size = tokens(message(passages(each.question)))
            sizes.setdefault(each.user_id, []).append((place, size, len(each.question.doubts)))
        for of_user in sizes.values():
            yield from packed(of_user, self._room, self._budget.doubts)

    async def _ask(self, questions: Sequence[Question], leave: Leave | None) -> list[Answer]:
        full = any(question.full for question in questions)
        shown: list[dict[str, Any]] = []
        numbers: list[dict[int, int]] = []
        asked = 0
        for question in questions:
            shown += passages(question, asked + 1)
            numbers.append({asked + place: doubt.number for place, doubt in enumerate(question.doubts, 1)})
            asked += len(question.doubts)
        completion = await self._client.complete(
            [
                {"role": "system", "content": instructions(full=full, structured=self._structured)},
                {"role": "user", "content": message(shown)},
            ],
            response_format=response_format(full=full, structured=self._structured),
            output_tokens=self._budget.output_for(asked),
            leave=leave,
        )
        answer = read_answer(completion.content, full=full)
        everything = frozenset(range(1, asked + 1))
        return [_own(answer, of, None if place else everything) for place, of in enumerate(numbers)]


def _own(answer: Answer, of: dict[int, int], strays: frozenset[int] | None) -> Answer:
    """The part of a shared answer that is about one question, under the numbers that its doubts have.

    `of`: from the numbers in the call to the question's own. `strays`: all numbers in the call, given to the question
    that is to account for what is about none of them.
    """
    own = [replace(each, number=of[each.number]) for each in answer.verdicts if each.number in of]
    if strays is None:
        return Answer(tuple(own))
    lost = [replace(each, number=None) for each in answer.verdicts if each.number not in strays]
    return replace(answer, verdicts=(*own, *lost))
