"""A user's search words may narrow what is searched, and nothing else."""

import pytest

from shared.gmail.query import LONGEST, QueryRefused, narrowing


@pytest.mark.parametrize(
    ("query", "narrowed"),
    [
        ("ortiz", "(ortiz)"),
        ("to:ortiz@example.com", "(to:ortiz@example.com)"),
        ('subject:"wage claim" has:attachment', '(subject:"wage claim" has:attachment)'),
        ("from:me OR cc:priya", "(from:me OR cc:priya)"),
        ("-subject:lunch", "(-subject:lunch)"),
        ("{ortiz hollis} larger:10k", "({ortiz hollis} larger:10k)"),
        ("  after:2026/09/01 \n before:2026/10/01", "(after:2026/09/01 before:2026/10/01)"),
        ("meeting at 2:30", "(meeting at 2:30)"),
        ("Newer_Than:2d", "(Newer_Than:2d)"),
    ],
)
def test_what_narrows_goes_in_brackets_of_its_own(query: str, narrowed: str) -> None:
    assert narrowing(query) == narrowed


@pytest.mark.parametrize(
    "query",
    [
        "in:anywhere",
        "IN:anywhere",
        "in :trash",
        "-in:sent",
        "-label:sent",
        "label:inbox OR label:sent",
        "is:draft",
        "category:promotions",
        "{in:inbox ortiz}",
        'ortiz" OR in:anywhere "',
        'subject:"wage claim',
        '"',
        "ortiz) OR (hollis",
        "(ortiz",
        "ortiz}",
        "({ortiz)}",
        "",
        "   ",
        "ortiz\x00",
        "ortiz\u202e",
        "a" * (LONGEST + 1),
    ],
)
def test_what_could_reach_beyond_sent_mail_is_refused(query: str) -> None:
    with pytest.raises(QueryRefused):
        narrowing(query)
