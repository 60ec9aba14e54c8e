"""The reader of answers: strict, small, and the same however the bytes come."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flashsale.load.worker.classify import judge_answer
from flashsale.load.worker.http1.http_head import HEAD_LIMIT
from flashsale.load.worker.http1.http_response import (
    BODY_LIMIT,
    INTERIM_LIMIT,
    HttpResponse,
    ReadState,
)

PLAIN = b"HTTP/1.1 200 OK\r\nServer: gunicorn\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
CHUNKED += b"2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nT: x\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.0 200 OK\r\n\r\nhello"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + PLAIN
EMPTY = b"HTTP/1.1 204 No Content\r\nDate: today\r\n\r\n"
COMPLETE = (PLAIN, CHUNKED, UNTIL_CLOSE, INTERIM)

Reading = tuple[ReadState, int, bytes]


def read(pieces: list[bytes]) -> Reading:
    """Feed pieces, then close, and return what came of it."""
    answer = HttpResponse()
    state = ReadState.MORE
    for piece in filter(None, pieces):
        state = answer.feed(piece)
        if state is not ReadState.MORE:
            break
    if state is ReadState.MORE:
        state = answer.end()
    return state, answer.status, bytes(answer.body) if state is ReadState.DONE else b""


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut bytes at some places."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@pytest.mark.parametrize("data", COMPLETE, ids=["length", "chunked", "until close", "interim"])
def test_every_framing_gives_the_body(data: bytes) -> None:
    """Length, chunks, an end by closing, and interim answers before: the body is the same."""
    assert read([data]) == (ReadState.DONE, 200, b"hello")


@pytest.mark.parametrize("data", COMPLETE, ids=["length", "chunked", "until close", "interim"])
def test_byte_by_byte_is_the_same(data: bytes) -> None:
    """The worst split of all changes nothing."""
    assert read([bytes([byte]) for byte in data]) == (ReadState.DONE, 200, b"hello")


@given(
    st.one_of(
        st.sampled_from((*COMPLETE, EMPTY)).flatmap(
            lambda whole: st.integers(0, len(whole)).map(lambda end: whole[:end])
        ),
        st.tuples(st.sampled_from(COMPLETE), st.integers(0, 80), st.binary(max_size=3)).map(
            lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
        ),
        st.binary(max_size=60),
    ),
    st.lists(st.integers(0, 10_000), max_size=12),
)
@example(b"HTTP/1.1 200 OK\r\n\r", [1])
def test_any_split_of_anything_gives_the_same(data: bytes, places: list[int]) -> None:
    """Whole, cut off, damaged or garbage: the pieces do not matter, and nothing raises."""
    assert read(cut(data, places)) == read([data])


@pytest.mark.parametrize("data", [PLAIN, CHUNKED, INTERIM], ids=["length", "chunked", "interim"])
def test_no_part_of_an_answer_is_an_answer(data: bytes) -> None:
    """Cut off anywhere before its end, an answer is broken, never complete."""
    assert {read([data[:end]])[0] for end in range(len(data))} == {ReadState.BROKEN}


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 99 Low\r\n\r\n",
        b"HTTP/1.1 2000 High\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 5, 5\r\n\r\nhello",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
        HEAD + b"Content-Length : 0\r\n\r\n",
        HEAD + b"A: 1\r\n folded\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"no colon\r\n\r\n",
        HEAD + b"A: \0\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nfive\r\nhello\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_not_http_is_broken(data: bytes) -> None:
    """Nothing is guessed: a malformed answer does not sell anything."""
    assert read([data])[0] is ReadState.BROKEN


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"A: " + b"a" * HEAD_LIMIT,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 5000,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 2000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * (INTERIM_LIMIT + 1),
    ],
    ids=["head", "chunk line", "trailers", "interim"],
)
def test_an_absurd_head_is_broken_before_it_fills_the_memory(data: bytes) -> None:
    """Everything but the body has a bound, and passing it ends the reading at once."""
    assert HttpResponse().feed(data) is ReadState.BROKEN


@pytest.mark.parametrize(
    ("data", "keeps"),
    [
        (PLAIN, True),
        (CHUNKED, True),
        (EMPTY, True),
        (PLAIN + b"more", False),
        (PLAIN.replace(b"Server:", b"Connection: Close\r\nServer:"), False),
        (PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"), False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 101 Switching\r\n\r\n", False),
    ],
)
def test_a_connection_is_kept_only_where_the_answer_allows_it(data: bytes, keeps: bool) -> None:
    """The version, `Connection`, and bytes after the end decide."""
    answer = HttpResponse()
    assert answer.feed(data) is ReadState.DONE
    assert answer.keep is keeps


LONG = b"x" * (BODY_LIMIT // 2 + 1)
OVERSIZED = {
    "length": HEAD + b"Content-Length: %d\r\n\r\n" % (2 * len(LONG)) + LONG + LONG,
    "chunked": CHUNKED[: CHUNKED.index(b"2;")]
    + b"%x\r\n%b\r\n" % (len(LONG), LONG) * 2
    + b"5\r\nhello\r\n0\r\n\r\n",
    "until close": HEAD + b"\r\n" + LONG + LONG,
}


@pytest.mark.parametrize("data", OVERSIZED.values(), ids=OVERSIZED)
@pytest.mark.parametrize("piece", [16 * 1024, 1_000_003])
def test_an_oversized_answer_is_complete_all_the_same(data: bytes, piece: int) -> None:
    """Its end is seen in whatever pieces it comes; its body is not kept meanwhile."""
    answer = HttpResponse()
    for start in range(0, len(data), piece):
        state = answer.feed(data[start : start + piece])
        assert len(answer._buffer) <= BODY_LIMIT + piece + 1000
    if state is ReadState.MORE:
        state = answer.end()
    assert (state, answer.oversized, bytes(answer.body)) == (ReadState.DONE, True, b"")
    assert judge_answer(200, answer.body, oversized=True) == ("HTTP 200, body over 16 MiB", "")


@given(st.binary() | st.text().map(str.encode) | st.just(b"[" * 100_000))
def test_no_body_makes_the_judge_raise(body: bytes) -> None:
    """Whatever is in a complete answer, it is either a confirmation or not."""
    assert judge_answer(200, body)[0]


@pytest.mark.parametrize(
    ("status", "body", "judged"),
    [
        (200, b'{"status": "success", "served_by_pod": "rs-1"}', ("", "rs-1")),
        (200, b'{"status": "success"}', ("", "")),
        (200, b'{"status": "success", "served_by_pod": 7}', ("", "")),
        (200, b'{"status": "success", "served_by_pod": "a\\u001b[2J"}', ("", "")),
        (
            200,
            b'{"status": "sold out", "served_by_pod": "rs-1"}',
            ('HTTP 200, "status" is "sold out"', "rs-1"),
        ),
        (200, b'{"status": "\\u001b[2J"}', ('HTTP 200, "status" is "[2J"', "")),
        (200, b'{"status": true}', ('HTTP 200, "status" is no text', "")),
        (200, b'{"stock": 0}', ('HTTP 200, body has no "status"', "")),
        (200, b"[1]", ("HTTP 200, body is no JSON object", "")),
        (200, b"<html>", ("HTTP 200, body is not JSON", "")),
        (201, b'{"status": "success"}', ("HTTP 201", "")),
        (302, b"", ("HTTP 302", "")),
    ],
)
def test_only_a_200_with_status_success_confirms(
    status: int, body: bytes, judged: tuple[str, str]
) -> None:
    """Anything else says which part of the answer was not right; escape codes are in no text."""
    assert judge_answer(status, body) == judged


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\x15\x03\x01\0\x02\x02F", "no HTTP/1 answer, but TLS"),
        (b"\0\0\x12\x04\0\0\0\0\0", "no HTTP/1 answer, but HTTP/2"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP/1 answer, but 'SSH-2.0-OpenSSH_9.2'"),
        (b"\x1b[2J\xff\n", "no HTTP/1 answer, but binary data"),
        (b"HTTP/1.1 2000 High\r\n\r\n", "HTTP answer with a malformed head"),
        (HEAD + b"Content-Length: 5, 5\r\n\r\n", "HTTP answer with a malformed Content-Length"),
        (
            HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
            "HTTP answer with contradicting lengths",
        ),
        (CHUNKED + b"", ""),
        (CHUNKED[:-30] + b"five\r\n", "HTTP answer with a malformed chunk"),
    ],
)
def test_a_broken_answer_says_what_is_wrong(data: bytes, fault: str) -> None:
    """Each cause has its own words, whatever bytes came."""
    answer = HttpResponse()
    answer.feed(data)
    assert answer.fault == fault
