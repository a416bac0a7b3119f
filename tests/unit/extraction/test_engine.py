import pytest

from shared.extraction.engine import Layer, PatternError, Rule, Tokens, Words, compile_pattern
from shared.extraction.tokens import tokenise

WORDS = Words(sets={"colour": ("red", "dark blue")}, barriers=(";",))
FITTING = (
    ("house", "a house here", True),
    ("house", "a lighthouse", False),
    ("big|small house", "small house", True),
    ("{colour} house", "dark blue house", True),
    ("{colour} house", "blue house", False),
    ("very* big", "very very big", True),
    ("^ very? big $", "very big", True),
    ("^ big", "so big", False),
    ("from ..2 to", "from here and to", True),
    ("from ..2 to", "from here and there to", False),
    ("from ..4 to", "from here ; to", False),
    ("( the|a big )? house", "house", True),
    ("( red | dark blue ) house", "dark blue house", True),
    ("house !party", "house party", False),
    ("house @party", "house party", True),
    ("~the house", "the house", True),
    ("~the house", "a house", False),
    (r"\( # \)", "see (12)", True),
    ("#:#", "at 2:10", True),
    ("up_to|down_to ten", "up to ten", True),
)


def matches(pattern: str, text: str) -> bool:
    return compile_pattern(pattern, WORDS).search(tokenise(text)) is not None


@pytest.mark.parametrize(("pattern", "text", "fits"), FITTING)
def test_a_pattern_fits_the_tokens_that_it_is_written_for(pattern: str, text: str, *, fits: bool) -> None:
    assert matches(pattern, text) is fits


@pytest.mark.parametrize(("pattern", "text", "fits"), FITTING)
def test_a_layer_reads_wherever_its_pattern_fits(pattern: str, text: str, *, fits: bool) -> None:
    layer = Layer("<x>", [Rule("it", pattern, lambda *_: 1)], WORDS)

    assert ("<x>" in layer.apply(tokenise(text)).spelled) is fits


@pytest.mark.parametrize("pattern", ["( a b", "{unknown} house", "a||b", "@|x"])
def test_a_malformed_pattern_is_refused_when_its_table_is_built(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern, WORDS)


def test_a_layer_puts_one_symbol_for_what_it_reads_and_keeps_its_place() -> None:
    layer = Layer("<c>", [Rule("<colour>", "{colour}", lambda words, _: " ".join(words))], WORDS)
    read = layer.apply(tokenise("a dark blue door"))

    assert read.spelled == ("a", "<c>", "door")
    assert read.values == (None, "dark blue", None)
    assert (read.starts[1], read.ends[1]) == (2, 11)


def test_a_rule_that_declines_leaves_the_word_to_the_next() -> None:
    rules = [Rule("never", "red", lambda *_: None), Rule("always", "red", lambda *_: 1)]
    read = Layer("<c>", rules, WORDS).apply(tokenise("red"))

    assert read.values == (1,)


def test_a_rule_is_passed_over_without_looking_when_its_words_are_absent() -> None:
    pattern = compile_pattern("zebra ..9 house", WORDS)

    assert pattern.needs == {"zebra"}
    assert pattern.search(Tokens((), (), (), ())) is None


@pytest.mark.parametrize(
    ("pattern", "needs"),
    [
        ("# {colour} house", {"house"}),
        ("# {colour}", {"red", "dark"}),
        ("house | # hut", {"house", "hut"}),
        ("house | #", set()),
        ("# ( old house | hut )", {"old", "hut"}),
        ("# ( old house | # )", set()),
        ("# ( old house )?", set()),
        ("house? !party @now ~then", set()),
        ("<n> -|--", {"<n>"}),
    ],
)
def test_what_a_rule_needs_is_in_whatever_it_fits(pattern: str, needs: set[str]) -> None:
    assert compile_pattern(pattern, WORDS).needs == needs


def test_a_table_is_passed_over_only_where_no_rule_of_it_can_fit() -> None:
    rules = [Rule("one", "# red", lambda *_: 1), Rule("other", "( a hut )+", lambda *_: 2)]
    layer = Layer("<c>", rules, WORDS)
    empty = tokenise("nothing of it")

    assert layer.apply(empty) is empty
    assert layer.apply(tokenise("2 red")).spelled == ("<c>",)
    assert layer.apply(tokenise("a hut")).spelled == ("<c>",)
    assert Layer("<c>", [Rule("any", "#", lambda *_: 1)], WORDS).apply(tokenise("2")).spelled == ("<c>",)


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("2h15m", ("2", "h", "15", "m")),
        ("I’ve t/c’d", ("i've", "t/c", "'", "d")),
        ("w/ Smith – 1.2", ("w/", "smith", "--", "1.2")),
        ("2–3", ("2", "-", "3")),
        ("$1,250.50 by 4 p.m.", ("<money>", "by", "4", "pm")),
        ("call (315) 555-0142", ("call", "<phone>")),
        ("the 22nd", ("the", "<ordinal>")),
        ("a@b.example", ("<link>",)),
        ("9.30am", ("9:30", "am")),
        ("so .... 1.7", ("so", "…", "1.7")),
        ("exhibits 3,4 or 1,250", ("exhibits", "3,4", "or", "1,250")),
    ],
)
def test_what_reads_as_one_mark_is_one_token(text: str, spelled: tuple[str, ...]) -> None:
    assert tokenise(text).spelled == spelled
