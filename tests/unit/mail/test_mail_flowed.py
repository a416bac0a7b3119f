"""format=flowed, and the offsets that lead back from folded text."""

import pytest

from shared.mail import Span, read
from shared.mail.offsets import fold


@pytest.mark.parametrize(
    ("parameters", "text", "expected"),
    [
        ("format=flowed", "an hour \nand a half \non it.\nNext", "an hour and a half on it.\nNext"),
        ('format="Flowed"; delsp=yes', "an hour  \nand a ha \nlf", "an hour and a half"),
        ("format=flowed", "one \r\ntwo", "one two"),
        ("format=flowed", "para \n\nnext", "para \n\nnext"),
        ("format=flowed", " >not quoted\n From here", ">not quoted\nFrom here"),
        ("format=flowed", "> quoted \n> on \nmine", "> quoted \n> on \nmine"),
        ("format=flowed", "mine \n> quoted", "mine \n> quoted"),
        ("format=flowed", "mine \n-- \nInes", "mine \n-- \nInes"),
        ("charset=utf-8", "an hour \nand a half", "an hour \nand a half"),
    ],
)
def test_soft_line_ends_are_taken_out_where_the_mail_says_so(parameters: str, text: str, expected: str) -> None:
    assert read(f"Content-Type: text/plain; {parameters}\n\n{text}".encode()).body == expected


@pytest.mark.parametrize(
    ("body", "folded", "found", "origin"),
    [
        ("plain .4 x", "plain .4 x", ".4", ".4"),
        ("1.6\u00a0hours on", "1.6 hours on", "1.6 hours", "1.6\u00a0hours"),
        ("two ho\u00adurs and", "two hours and", "two hours", "two ho\u00adurs"),
        ("\u200b\u200btwo\u200b hours\ufeff on", "two hours on", "two hours", "two\u200b hours"),
        ("a\u00adb\u200bc\u00add", "abcd", "bc", "b\u200bc"),
        ("é .4\x0bx", "é .4 x", ".4 x", ".4\x0bx"),
        ("tab\tand\nline .4", "tab\tand\nline .4", "and\nline", "and\nline"),
    ],
)
def test_folded_text_leads_back_to_the_body(body: str, folded: str, found: str, origin: str) -> None:
    result = fold(body)
    assert result.text == folded
    start = folded.index(found)
    span = result.origin(start, start + len(found))
    assert body[span.start : span.end] == origin


def test_a_place_without_length_leads_back_too() -> None:
    assert fold("a\u00adb").origin(1, 1) == Span(2, 2)
