"""What travels to Google and back with the browser: which attempt it is, and where the person goes from there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import jwt
from pydantic import SecretStr

from shared.errors import RequestRefused

ALGORITHM: Final = "HS256"
AUDIENCE: Final = "mailbox-callback"
LONGEST: Final = 3_000


class BadState(RequestRefused):
    """The state is none that was given out here, or it has expired."""

    code = "bad_state"


@dataclass(frozen=True, slots=True)
class State:
    """`attempt_id`: whose it is, only the database knows. `return_to`: an URL, or None for a plain page."""

    attempt_id: UUID
    return_to: str | None


class States:
    """Signs and reads states. They are signed, not secret: they name nobody."""

    def __init__(self, key: SecretStr) -> None:
        self._key = key

    def signed(self, state: State, expires_at: datetime) -> str:
        claims = {"aud": AUDIENCE, "jti": str(state.attempt_id), "exp": expires_at, "return_to": state.return_to}
        return jwt.encode(claims, self._key.get_secret_value(), algorithm=ALGORITHM)

    def read(self, text: str) -> State:
        """Raises BadState."""
        if len(text) > LONGEST:
            raise BadState("this is no link of ours")
        try:
            claims = jwt.decode(
                text,
                self._key.get_secret_value(),
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={"require": ["exp", "aud", "jti"]},
            )
            return State(UUID(claims["jti"]), claims.get("return_to"))
        except jwt.ExpiredSignatureError:
            raise BadState("it took too long: nothing was connected; start again") from None
        except (jwt.InvalidTokenError, ValueError):
            raise BadState("this is no link of ours") from None
