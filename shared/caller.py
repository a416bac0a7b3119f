"""Who asks: a user whose token was verified. Lives with one request."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Caller:
    """A user, and the token that carries their rights in the database."""

    user_id: UUID
    token: SecretStr
