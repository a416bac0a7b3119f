"""What one answer of the chat may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChatLimits:
    """Bounds of one answer, in calls, tokens and seconds.

    `steps`: calls of the model; in the last one it may call no tool. `history_tokens`: the system prompt and the
    conversation before the answer, and also what the tools of one step are told of together. `tool_output_tokens`:
    what the model is told of one tool's answer. `output_tokens`: what the model may say in one step.
    `deadline_seconds`: the whole answer, tools too. `silence_seconds`: the longest wait for the model's next word.
    `keep_alive_seconds`: after so long without anything to send, a comment is sent.
    """

    steps: int = 8
    history_tokens: int = 12_000
    tool_output_tokens: int = 3_000
    output_tokens: int = 2_000
    deadline_seconds: float = 120
    silence_seconds: float = 20
    keep_alive_seconds: float = 15
