"""Bytes to text under whatever charset a mail claims: the best reading there is, never an error."""

import codecs
import re

_ASCII_LIKE = frozenset({"ascii", "cp1252", "iso8859-1", "iso8859-15"})
# Codecs that Python offers but that no mail is written in; some of them need more than linear time.
_NOT_CHARSETS = frozenset({"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"})
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# Bytes that are not UTF-8 come out of "surrogateescape" as U+DC80 to U+DCFF.
_STRAY = re.compile("[\udc80-\udcff]+")


def decode(data: bytes, charset: str | None) -> str:
    """`data` as text, without byte order mark, lone surrogates or NUL (each becomes U+FFFD).

    Text that is valid UTF-8 is read as such even where a single-byte western charset is claimed: mail relabelled on
    its way is common, and the reverse hardly occurs. An unknown or missing charset is guessed in the same manner.
    """
    if data.isascii() and b"\x00" not in data and (charset or "").lower() in {"", "utf-8", "us-ascii", "iso-8859-1"}:
        return data.decode("ascii")
    for mark, name in _BOMS:
        if data.startswith(mark):
            return _clean(data.decode(name, "replace").removeprefix("\ufeff"))
    return _clean(_decode(data, _known(charset)))


def _known(charset: str | None) -> str | None:
    """Python's name of a charset that text can be written in, or None."""
    try:
        name = codecs.lookup((charset or "").strip("\"' ")).name
    except (LookupError, ValueError):
        return None
    return None if name in _NOT_CHARSETS else name


def _decode(data: bytes, name: str | None) -> str:
    if name is not None and name != "utf-8" and name not in _ASCII_LIKE:
        try:
            return data.decode(name)
        except (LookupError, ValueError):  # a codec that isn't for text, or bytes that it can't be
            return _guess(data)
    return _guess(data)


def _guess(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _STRAY.sub(_windows, data.decode("utf-8", "surrogateescape"))


def _windows(stray: re.Match[str]) -> str:
    """Single bytes among UTF-8, or in its place, are nearly always Windows text."""
    return stray[0].encode("utf-8", "surrogateescape").decode("cp1252", "replace")


def _clean(text: str) -> str:
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
