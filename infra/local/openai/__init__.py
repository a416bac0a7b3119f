"""OpenAI's chat completions on one machine, as strict as the real thing, and as unreliable as a test wants it.

Run by `python -m infra.local.openai`. A call goes through, in this order: `app` (HTTP, key, faults of the wire) ->
`request`, `conversation` and `strict` (what the real API refuses) -> `limits` (x-ratelimit-*) -> `judge` or `talker`
(an answer, honest or not, as data: `said`) -> `completion` (its shape) -> one JSON object, or a `stream` of events.
`sim` is what only tests and the local stack speak to.
"""
