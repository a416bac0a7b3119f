"""Gmail's REST as google-api-python-client calls it, on one machine, and stricter than the real thing.

Run by `python -m infra.local.gmail`. A call goes through, in this order: `app` (HTTP) -> `api` (who may call what,
quota, faults) -> one handler in `messages`, `drafts` or `users` -> `mailstore` (SQLite) -> `push` (Pub/Sub). `sim` is
what only tests and the local stack speak to.
"""
