from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest
from pydantic import SecretStr

from shared.connecting.state import BadState, State, States

KEY = "a signing key of more than sixty-four characters, so that HS512 would take it"
STATE = State(uuid4(), "https://app.example/mailbox?tab=1")


def _soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=10)


def test_what_was_signed_comes_back() -> None:
    states = States(SecretStr(KEY))
    assert states.read(states.signed(STATE, _soon())) == STATE
    plain = State(uuid4(), None)
    assert states.read(states.signed(plain, _soon())) == plain


def test_a_state_names_no_user_and_no_address() -> None:
    claims = jwt.decode(States(SecretStr(KEY)).signed(STATE, _soon()), options={"verify_signature": False})
    assert set(claims) == {"aud", "jti", "exp", "return_to"}


def _with(**claims: object) -> dict[str, object]:
    return {"aud": "mailbox-callback", "jti": str(uuid4()), "exp": _soon(), "return_to": None, **claims}


FORGED = {
    "nothing": "",
    "no token": "state",
    "another key": jwt.encode(_with(), "another key, of more than thirty-two characters", "HS256"),
    "no signature": jwt.encode(_with(), "", "none"),
    "another algorithm": jwt.encode(_with(), KEY, "HS512"),
    "meant for something else": jwt.encode(_with(aud="authenticated"), KEY, "HS256"),
    "no attempt": jwt.encode(_with(jti="1"), KEY, "HS256"),
    "no end": jwt.encode({key: value for key, value in _with().items() if key != "exp"}, KEY, "HS256"),
    "late": jwt.encode(_with(exp=datetime.now(UTC) - timedelta(seconds=5)), KEY, "HS256"),
    "huge": jwt.encode(_with(return_to="https://app.example/" + "x" * 4_000), KEY, "HS256"),
}


@pytest.mark.parametrize("text", FORGED.values(), ids=FORGED)
def test_a_state_that_is_forged_or_late_leads_nowhere(text: str) -> None:
    with pytest.raises(BadState):
        States(SecretStr(KEY)).read(text)


def test_a_state_whose_address_was_exchanged_leads_nowhere() -> None:
    states = States(SecretStr(KEY))
    head, _, signature = states.signed(STATE, _soon()).split(".")
    _, payload, _ = states.signed(State(STATE.attempt_id, "https://evil.example/"), _soon()).split(".")
    with pytest.raises(BadState):
        states.read(f"{head}.{payload}.{signature}")
