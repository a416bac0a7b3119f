"""Where a browser may be sent from the callback: nowhere but to the service's own applications."""

from collections.abc import Container
from typing import Final

from pydantic import ValidationError
from pydantic_core import Url

from shared.errors import InvalidArguments, WrongArgument

_USUAL_PORTS: Final = {"http": 80, "https": 443}


def origin(url: Url) -> str:
    """Scheme, host and port, as browsers write it."""
    port = "" if url.port in {None, _USUAL_PORTS.get(url.scheme)} else f":{url.port}"
    return f"{url.scheme}://{url.host}{port}"


def allowed(return_to: str, origins: Container[str]) -> str:
    """The URL, if its origin is one of these. Raises InvalidArguments.

    Read by the rules that browsers read by (WHATWG), and given as they would write it: so what was checked is where the
    browser goes, whatever backslashes, tabs or user names were meant to hide. Its fragment is for us to write, and goes
    along wherever that page sends the browser on: so nothing may ask the page to, and it has no query.
    """
    refused = InvalidArguments(WrongArgument("return_to", "is no URL of an application of this service"))
    try:
        url = Url(return_to)
    except ValidationError:
        raise refused from None
    if origin(url) not in origins or url.username or url.password or url.query is not None or url.fragment is not None:
        raise refused
    return str(url)
