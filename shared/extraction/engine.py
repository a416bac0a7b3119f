r"""Matches tables of rules over tokens. It knows no English: words, symbols and what a rule gives are the tables'.

A pattern is written in tokens, one space apart:

    word  a|b|c      one token, spelled so; alternatives may be word sets: {hedge}|some
    {name}  a_b      any entry of the word set `name`; an underscore where an alternative is several tokens long
    <name>           a symbol: what an earlier layer has put in place of the tokens that it read
    #  #:#           a number in digits; a clock face (2:10, or :25)
    x?  x*  x+       optional, up to four times, one to four times
    ..  ..9          a gap of at most 4 (or 9) tokens, none of them a barrier
    ( x | y z )?     a group of alternatives
    ^  $             the beginning, the end
    !x  @x  ~x       the next token is not x, is x; the token before is x (these consume nothing)
    \x               x itself, where it would mean something else: \( \| \+

Patterns are read when their table is built, and compiled when they are first needed into expressions over the token
string (every token followed by one space), so that matching runs in C: most of a table's rules a process never needs,
and all of them together take half a second. Every repetition is bounded, so the work at one token is bounded by the
pattern and the whole by the text.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

_GAP = 4
_REPEATS = {"?": "?", "*": "{0,4}", "+": "{1,4}", "": ""}
_HELD = frozenset({"", "+"})
"""The repetitions of what must be there."""
_ELEMENT = re.compile(r"(?P<look>[!@~]?)(?P<body>.+?)(?P<repeat>[?*+]?)$")
_CLASSES = {"#": r"(?:\d[\d,]*(?:\.\d+)?|\.\d+)", "#:#": r"\d{0,2}:\d\d"}
_BOUNDARY = r"(?<![^ ])"


class PatternError(ValueError):
    """A rule's pattern can't be read; raised when its table is built, never while matching."""


@dataclass(frozen=True)
class Tokens:
    """A stretch of text as tokens.

    Token i is `spelled[i]`, stands at text offsets `starts[i]:ends[i]`, and where a layer has read it, `values[i]` is
    the reading.
    """

    spelled: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    values: tuple[Any, ...]

    @cached_property
    def string(self) -> str:
        """All tokens, each followed by a space."""
        return " ".join(self.spelled) + " " if self.spelled else ""

    @cached_property
    def present(self) -> frozenset[str]:
        """The set of tokens, to pass over rules that can't match."""
        return frozenset(self.spelled)

    @cached_property
    def phrases(self) -> frozenset[str]:
        """Every run of one, two or three tokens."""
        two = [f"{one} {next_}" for one, next_ in pairwise(self.spelled)]
        three = [f"{one} {rest}" for one, rest in zip(self.spelled, two[1:], strict=False)]
        return frozenset((*self.spelled, *two, *three))

    @cached_property
    def _places(self) -> list[int]:
        places, at = [], 0
        for token in self.spelled:
            places.append(at)
            at += len(token) + 1
        return places

    def place(self, index: int) -> int:
        """Where token `index` begins in `string`."""
        return self._places[index] if index < len(self._places) else len(self.string)

    def part(self, first: int, last: int) -> "Tokens":
        """Tokens `first` up to `last`, exclusive."""
        cut = slice(first, last)
        return Tokens(self.spelled[cut], self.starts[cut], self.ends[cut], self.values[cut])


@dataclass(frozen=True, slots=True)
class Words:
    """The vocabulary of a table: word sets by name, and the tokens that no gap may cross."""

    sets: Mapping[str, Iterable[str]] = field(default_factory=dict)
    barriers: Iterable[str] = ()


@dataclass(frozen=True)
class Pattern:
    """A pattern that was read; a match holds at least one token of `needs`, unless that is empty.

    `begins`: the tokens, and the classes ("#", "#:#"), with one of which every match begins; None if it may be any.
    """

    source: str
    needs: frozenset[str]
    begins: frozenset[str] | None

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """The pattern over the token string, compiled."""
        return re.compile(_BOUNDARY + f"(?:{self.source})")

    def search(self, tokens: Tokens) -> re.Match[str] | None:
        """The first match in the token string."""
        if self.needs and self.needs.isdisjoint(tokens.present):
            return None
        return self.expression.search(tokens.string)


@dataclass(frozen=True, slots=True)
class Rule:
    """A reading: its name is the phrase it reads; `produce` gets the matched words and the values among them.

    `produce` may decline by giving None.
    """

    name: str
    pattern: str
    produce: Callable[[Sequence[str], Sequence[Any]], Any]


class Layer:
    """A table of rules that puts one symbol in place of what they match; the first rule that matches wins."""

    def __init__(self, symbol: str, rules: Sequence[Rule], words: Words) -> None:
        self.rules = tuple(rules)
        self._symbol = symbol
        self._each = [compile_pattern(rule.pattern, words) for rule in rules]
        needs = [each.needs for each in self._each]
        self._needs = frozenset[str]().union(*needs) if all(needs) else frozenset()
        self._begins = _all_of(each.begins for each in self._each)

    @cached_property
    def _any(self) -> re.Pattern[str]:
        """All rules in one expression, with a group for each."""
        each = "|".join(f"(?P<r{place}>{pattern.source})" for place, pattern in enumerate(self._each))
        return re.compile(_BOUNDARY + f"(?:{each})")

    def apply(self, tokens: Tokens) -> Tokens:
        """The tokens with every match replaced. Left to right, each token is read once."""
        if self._needs and self._needs.isdisjoint(tokens.present):
            return tokens
        spelled: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        values: list[Any] = []
        targets: tuple[list[Any], ...] = (spelled, starts, ends, values)
        done = 0
        for first, last, value in self._readings(tokens):
            for target, source in zip(targets, _columns(tokens), strict=True):
                target.extend(source[done:first])
            spelled.append(self._symbol)
            starts.append(tokens.starts[first])
            ends.append(tokens.ends[last - 1])
            values.append(value)
            done = last
        if not done:
            return tokens
        for target, source in zip(targets, _columns(tokens), strict=True):
            target.extend(source[done:])
        return Tokens(tuple(spelled), tuple(starts), tuple(ends), tuple(values))

    def _readings(self, tokens: Tokens) -> Iterator[tuple[int, int, Any]]:
        string, done = tokens.string, 0
        for first in self._beginnings(tokens):
            if first < done or not (found := self._any.match(string, tokens.place(first))):
                continue
            for match, rule in self._matches(string, found):
                last = first + match.group().count(" ")
                inner = [value for value in tokens.values[first:last] if value is not None]
                value = rule.produce(tokens.spelled[first:last], inner)
                if value is not None:
                    yield first, last, value
                    done = last
                    break

    def _beginnings(self, tokens: Tokens) -> Iterable[int]:
        """The tokens at which a rule may begin: far fewer than there are, so that they are tried one by one."""
        begins = self._begins
        if begins is None:
            return range(len(tokens.spelled))
        numbers = not begins.isdisjoint(_CLASSES)
        return [
            index
            for index, token in enumerate(tokens.spelled)
            if token in begins or (numbers and (token[0].isdigit() or token[0] in ".:"))
        ]

    def _matches(self, string: str, found: re.Match[str]) -> Iterator[tuple[re.Match[str], Rule]]:
        """The rule that the one expression found and, for when it declines, those after it."""
        place = int((found.lastgroup or "r0")[1:])
        yield found, self.rules[place]
        for rule, pattern in zip(self.rules[place + 1 :], self._each[place + 1 :], strict=True):
            if match := pattern.expression.match(string, found.start()):
                yield match, rule


def _columns(tokens: Tokens) -> tuple[tuple[Any, ...], ...]:
    return tokens.spelled, tokens.starts, tokens.ends, tokens.values


def _all_of(sets: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """All tokens of the sets; None, which stands for every token, if it is among them."""
    every = list(sets)
    return None if None in every else frozenset[str]().union(*filter(None, every))


def _selects(tokens: frozenset[str]) -> tuple[bool, int]:
    """Orders what a pattern can't do without by how seldom text holds it: few before many, marks and symbols last."""
    return any(not token[:1].isalpha() for token in tokens), len(tokens)


def compile_pattern(pattern: str, words: Words) -> Pattern:
    """Read a pattern; PatternError if it is malformed or names an unknown word set."""
    return _Compiler(pattern, words).read()


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a pattern: its expression, and what `Pattern` says of a whole one.

    `empty`: whether it may match no token; `repeat`: of a group, how often it may.
    """

    source: str
    needs: frozenset[str] = frozenset()
    begins: frozenset[str] | None = frozenset()
    empty: bool = True
    repeat: str = ""


class _Compiler:
    """One pass over the pattern's elements; groups nest by recursion."""

    def __init__(self, pattern: str, words: Words) -> None:
        self._pattern = pattern
        self._elements = iter(pattern.split())
        self._sets = words.sets
        barriers = "|".join(re.escape(each) for each in words.barriers)
        self._gap_token = rf"(?!(?:{barriers}) )[^ ]+ " if barriers else "[^ ]+ "

    def read(self) -> Pattern:
        whole = self._sequence(depth=0)
        return Pattern(whole.source, whole.needs, whole.begins)

    def _sequence(self, depth: int) -> _Part:
        branches: list[list[_Part]] = [[]]
        repeat = ""
        for element in self._elements:
            if depth and element[0] == ")" and element[1:] in _REPEATS:
                repeat = element[1:]
                break
            if element == "|":
                branches.append([])
            else:
                branches[-1].append(self._one(element, depth))
        else:
            if depth:
                raise PatternError(f"{self._pattern!r}: a group is not closed")
        needs = [
            min((part.needs for part in branch if part.needs), key=_selects, default=frozenset[str]())
            for branch in branches
        ]
        return _Part(
            source="|".join("".join(part.source for part in branch) for branch in branches),
            needs=frozenset[str]().union(*needs) if all(needs) else frozenset(),
            begins=_all_of(_begins(branch) for branch in branches),
            empty=any(all(part.empty for part in branch) for branch in branches),
            repeat=repeat,
        )

    def _one(self, element: str, depth: int) -> _Part:
        if element == "(":
            group = self._sequence(depth + 1)
            held = group.repeat in _HELD
            return _Part(
                source=f"(?:{group.source}){_REPEATS[group.repeat]}",
                needs=group.needs if held else frozenset(),
                begins=group.begins,
                empty=group.empty or not held,
            )
        if element in {"^", "$"}:
            return _Part({"^": r"\A", "$": r"\Z"}[element])
        if element.startswith("..") and (element[2:] or "0").isdigit():
            return _Part(f"(?:{self._gap_token}){{0,{element[2:] or _GAP}}}?", begins=None)
        read = _ELEMENT.match(element)
        if read is None:
            raise PatternError(f"{self._pattern!r}: {element!r} is no element")
        look, body, repeat = read["look"], read["body"], read["repeat"]
        if body.startswith("\\"):
            options = [element[1:]]
            repeat = ""
        else:
            found = {each for part in body.split("|") for each in self._options(part)}
            options = sorted(found, key=lambda each: (-len(each), each))
            if "" in found:
                raise PatternError(f"{self._pattern!r}: {element!r} has an empty alternative")
        source = "|".join(_CLASSES.get(each) or re.escape(each).replace(r"\ ", " ") for each in options)
        if look == "~":
            behind = "|".join(rf"(?<= {re.escape(each)} )|(?<=\A{re.escape(each)} )" for each in options)
            return _Part(f"(?:{behind})")
        if look:
            return _Part(f"(?{'!' if look == '!' else '='}(?:{source}) )")
        begins = frozenset(each.split(" ", 1)[0] for each in options)
        held = repeat in _HELD
        return _Part(
            source=f"(?:(?:{source}) ){_REPEATS[repeat]}",
            needs=begins if held and _CLASSES.keys().isdisjoint(options) else frozenset(),
            begins=begins,
            empty=not held,
        )

    def _options(self, entry: str) -> Iterable[str]:
        if not (entry.startswith("{") and entry.endswith("}")):
            return (entry.replace("_", " "),)
        try:
            return self._sets[entry[1:-1]]
        except KeyError:
            raise PatternError(f"{self._pattern!r}: no word set {entry}") from None


def _begins(branch: Sequence[_Part]) -> frozenset[str] | None:
    """With which tokens a run of parts may begin: the first part's, and where that may be empty, the next one's."""
    able: list[frozenset[str] | None] = []
    for part in branch:
        able.append(part.begins)
        if not part.empty:
            break
    return _all_of(able)
