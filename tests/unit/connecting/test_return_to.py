import pytest

from shared.connecting.return_to import allowed
from shared.errors import InvalidArguments

ORIGINS = frozenset({"https://app.example", "http://127.0.0.1:3000"})


@pytest.mark.parametrize(
    ("given", "goes_to"),
    [
        ("https://app.example", "https://app.example/"),
        ("https://app.example/mailbox/tab", "https://app.example/mailbox/tab"),
        ("HTTPS://APP.EXAMPLE:443/x", "https://app.example/x"),
        ("http://127.0.0.1:3000/x", "http://127.0.0.1:3000/x"),
        # As a browser reads it: a path, whatever it looks like.
        ("https://app.example//evil.example", "https://app.example//evil.example"),
        ("https://app.example\\@evil.example/", "https://app.example/@evil.example/"),
    ],
)
def test_people_are_sent_back_to_the_services_own_applications(given: str, goes_to: str) -> None:
    assert allowed(given, ORIGINS) == goes_to


@pytest.mark.parametrize(
    "given",
    [
        "https://evil.example/",
        "https://app.example.evil.example/",
        "https://evil.example/https://app.example",
        "https://evil.example\\app.example",
        "https://app.example@evil.example/",
        "https://app.example:pass@evil.example/",
        "https://user@app.example/",
        # A page that sends people on would send along what is in the fragment.
        "https://app.example/login?next=https://evil.example/",
        "https://app.example/mailbox?",
        "https://app.example:8443/",
        "http://app.example/",
        "http://127.0.0.1/",
        "http://127.0.0.1:3001/",
        "//evil.example/",
        "/mailbox",
        "\\\\evil.example",
        "https:evil.example",
        "https://ap\tp.example.evil.example/",
        "https://app.example%2eevil.example/",
        "https://app。example.evil.example/",
        "javascript:alert(1)//https://app.example",
        "data:text/html,x",
        "https://app.example/#code=1",
        "https://app.example/#",
        "",
    ],
)
def test_people_are_sent_nowhere_else(given: str) -> None:
    with pytest.raises(InvalidArguments) as refused:
        allowed(given, ORIGINS)
    assert [error.field for error in refused.value.errors] == ["return_to"]
