"""What is written to the batch endpoint, and what is read of its answers, however they are cut into chunks."""

import tracemalloc
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.gmail.batch import MOST_HEAD_BYTES, Part, PartsReader, boundary_of, written

BOUNDARY = "batch_b-1"
MOST = 1000


def answer(number: int | str, body: bytes, status: int = 200, end: bytes = b"\r\n", headers: bytes = b"") -> bytes:
    lines = [
        b"--" + BOUNDARY.encode(),
        b"Content-Type: application/http",
        f"Content-ID: <response-8d + {number}>".encode(),
        b"",
        f"HTTP/1.1 {status} Some Reason".encode(),
        b"Content-Type: application/json; charset=UTF-8",
        *([headers] if headers else []),
        b"",
        body,
    ]
    return end.join(lines) + end


def end_of(end: bytes = b"\r\n") -> bytes:
    return b"--" + BOUNDARY.encode() + b"--" + end


def read(content: bytes, chunk_bytes: int | None = None, most: int = MOST) -> list[Part]:
    size = chunk_bytes or len(content) or 1
    return read_chunks([content[at : at + size] for at in range(0, len(content), size)], most)


def read_chunks(chunks: list[bytes], most: int = MOST) -> list[Part]:
    reader = PartsReader(BOUNDARY, most_bytes=most)
    return [part for chunk in chunks for part in reader.feed(chunk)]


def brief(parts: list[Part]) -> list[tuple[int, int, bytes | None]]:
    return [(part.number, part.status, part.body) for part in parts]


@dataclass
class Call:
    uri: str = "https://gmail.googleapis.com/gmail/v1/users/me/messages/18c?format=raw&alt=json"
    method: str = "GET"
    body: str | bytes | None = None
    headers: dict[str, str] = field(default_factory=lambda: {"accept": "application/json", "accept-encoding": "gzip"})


def test_a_batch_is_written_as_googles_own_client_writes_it() -> None:
    calls = [Call(), Call(method="POST", body='{"ü":1}', headers={"content-type": "application/json"})]
    content_type, body = written(calls, "8d")
    whole = BytesParser(policy=HTTP).parsebytes(b"content-type: " + content_type.encode() + b"\r\n\r\n" + body)
    parts = [(part["content-type"], part["content-id"]) for part in whole.iter_parts()]
    assert parts == [("application/http", "<8d + 0>"), ("application/http", "<8d + 1>")]
    assert [part.get_payload(decode=True) for part in whole.iter_parts()] == [
        b"GET /gmail/v1/users/me/messages/18c?format=raw&alt=json HTTP/1.1\r\naccept: application/json\r\n\r\n",
        b"POST /gmail/v1/users/me/messages/18c?format=raw&alt=json HTTP/1.1\r\n"
        b"content-type: application/json\r\ncontent-length: 8\r\n\r\n" + '{"ü":1}'.encode(),
    ]


@pytest.mark.parametrize(
    ("boundary", "content_type"),
    [
        ("batch_x", "multipart/mixed; boundary=batch_x"),
        ("batch_x", 'Multipart/Mixed; boundary="batch_x"'),
        ("a;b c", 'multipart/mixed; charset=utf-8; boundary="a;b c"'),
        (None, "multipart/mixed"),
        (None, "application/json; boundary=batch_x"),
        (None, ""),
    ],
)
def test_an_answer_that_is_no_batch_has_no_boundary(boundary: str | None, content_type: str) -> None:
    assert boundary_of(content_type) == boundary


BODIES = st.one_of(
    st.binary(max_size=60),
    # What looks nearly like a delimiter or a blank line.
    st.lists(
        st.sampled_from([b"\r\n", b"\n", b"\r", b"-", b"--", b"--batch_b", b"batch_b-1", b"{}", b"\r\n\r\n"]),
        max_size=12,
    ).map(b"".join),
).filter(lambda body: b"\n--" + BOUNDARY.encode() not in b"\n" + body)


@given(
    bodies=st.lists(BODIES, max_size=5),
    end=st.sampled_from([b"\r\n", b"\n"]),
    preamble=st.sampled_from([b"", b"\r\n", b"an explanation\r\n"]),
    cuts=st.lists(st.integers(0, 1500), max_size=30),
)
@example(bodies=[b"\r"], end=b"\r\n", preamble=b"", cuts=list(range(400)))
def test_every_part_is_read_however_the_answer_is_cut(
    bodies: list[bytes], end: bytes, preamble: bytes, cuts: list[int]
) -> None:
    # With bare line ends, a \r that ends a body can't be told from one of the delimiter's.
    bodies = [body.rstrip(b"\r") if end == b"\n" else body for body in bodies]
    content = preamble + b"".join(answer(n, body, end=end) for n, body in enumerate(bodies)) + end_of(end) + b"epilogue"
    places = [0, *sorted(cut for cut in set(cuts) if 0 < cut < len(content)), len(content)]
    chunks = [content[start:stop] for start, stop in pairwise(places)]
    assert brief(read_chunks(chunks)) == [(n, 200, body) for n, body in enumerate(bodies)]


@pytest.mark.parametrize("chunk_bytes", [1, 11, None])
@pytest.mark.parametrize("rest", ["x", "-", "x--", "x" * 500, "0\n--batch_b-12"])
def test_a_line_that_only_begins_as_a_delimiter_ends_nothing(rest: str, chunk_bytes: int | None) -> None:
    body = f'{{"a": 1,\r\n--{BOUNDARY}{rest}\r\n"b": 2}}'.encode()
    assert brief(read(answer(1, body) + answer(2, body) + end_of(), chunk_bytes)) == [(1, 200, body), (2, 200, body)]


@given(kept=st.integers(0, 700), chunk_bytes=st.integers(1, 90))
def test_of_an_answer_that_is_cut_off_the_whole_parts_are_read(kept: int, chunk_bytes: int) -> None:
    content = b"".join(answer(n, b'{"id": "18c"}') for n in range(4)) + end_of()
    whole = brief(read(content))
    assert len(whole) == 4
    parts = brief(read(content[:kept], chunk_bytes))
    assert parts == whole[: len(parts)]
    assert len(parts) >= content[:kept].count(b"--" + BOUNDARY.encode() + b"\r\n") - 1


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_what_is_no_answer_at_all_is_read_as_none(chunks: list[bytes]) -> None:
    assert read_chunks(chunks) == []


@pytest.mark.parametrize("chunk_bytes", [1, 7, 5000, None])
@pytest.mark.parametrize("length", [MOST, MOST + 1, MOST + MOST_HEAD_BYTES, 4 * MOST_HEAD_BYTES])
def test_a_part_above_the_bound_comes_without_its_body(length: int, chunk_bytes: int | None) -> None:
    small, large = b"{}", b"x" * length
    content = answer(0, small) + answer(1, large) + answer(2, small) + end_of()
    expected = large if length <= MOST else None
    assert brief(read(content, chunk_bytes)) == [(0, 200, small), (1, 200, expected), (2, 200, small)]


def test_large_parts_do_not_add_up_in_memory() -> None:
    most, chunk = 100_000, b"eHg=" * 4_000
    reader = PartsReader(BOUNDARY, most_bytes=most)
    tracemalloc.start()
    held = []
    for number in range(5):
        head, _, tail = answer(number, b"|").partition(b"|")
        reader.feed(head)
        for _ in range(200):
            assert reader.feed(chunk) == []
        held.append(tracemalloc.get_traced_memory()[0])
        reader.feed(tail)
    [last] = reader.feed(end_of())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (last.number, last.body) == (4, None)
    assert peak < 6 * most
    assert max(held) < most


def test_parts_come_as_soon_as_they_are_whole() -> None:
    reader = PartsReader(BOUNDARY, most_bytes=MOST)
    first, second = answer(0, b"{}"), answer(1, b"{}")
    begun = f"--{BOUNDARY}\r\n".encode()
    assert reader.feed(first) == []
    assert brief(reader.feed(begun)) == [(0, 200, b"{}")]
    assert brief(reader.feed(second.removeprefix(begun) + end_of(b""))) == [(1, 200, b"{}")]
    assert reader.ended


@pytest.mark.parametrize(
    "head",
    [
        b"Content-ID: <response-8d + 3>",
        b"content-id:<response-8d+3>",
        b"Content-Type: application/http\r\nContent-ID:\r\n <response-8d\r\n\t+ 3>",
    ],
)
def test_a_part_is_known_by_its_id_however_it_is_written(head: bytes) -> None:
    content = f"--{BOUNDARY}\r\n".encode() + head + b"\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n{}\r\n" + end_of()
    assert brief(read(content)) == [(3, 404, b"{}")]


@pytest.mark.parametrize(
    "part",
    [
        answer("", b"{}"),
        answer("x", b"{}"),
        answer(1, b"{}").replace(b"Content-ID", b"Content-Eid"),
        answer(1, b"{}").replace(b"HTTP/1.1 200", b"HTTP/1.1 OK"),
        b"--" + BOUNDARY.encode() + b"\r\n\r\n",
        b"--" + BOUNDARY.encode() + b"\r\n" + b"x" * 3 * MOST_HEAD_BYTES + b"\r\n",
    ],
)
def test_a_part_that_cannot_be_told_apart_is_passed_over(part: bytes) -> None:
    assert brief(read(part + answer(2, b"{}") + end_of())) == [(2, 200, b"{}")]


def test_the_headers_of_an_answer_are_read_with_it() -> None:
    [part] = read(answer(1, b"", status=429, headers=b"Retry-After: 7") + end_of())
    assert (part.status, part.headers["retry-after"], part.body) == (429, "7", b"")
