"""SPDY's frames, as pure functions."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale.embedded.apiserver.streaming.spdy_frames import (
    DICTIONARY,
    BadFrameError,
    Data,
    Frame,
    FrameReader,
    FrameWriter,
    GoAway,
    OpenedStream,
    Ping,
    Reset,
)

NUMBERS = st.integers(1, (1 << 31) - 1)
TEXT = st.text(st.characters(max_codepoint=255, exclude_categories=["Lu"]), max_size=30)
FRAMES = st.one_of(
    st.builds(
        OpenedStream, NUMBERS, st.dictionaries(TEXT.filter(str.islower), TEXT), st.booleans()
    ),
    st.builds(Data, NUMBERS, st.binary(), st.booleans()),
    st.builds(Reset, NUMBERS),
    st.builds(Ping, NUMBERS),
    st.just(GoAway()),
)


def write(writer: FrameWriter, frame: Frame) -> bytes:
    """Write what a client would."""
    match frame:
        case OpenedStream(stream, headers, fin):
            return writer.opened(stream, headers, fin=fin)
        case Data(stream, data, fin):
            return writer.data(stream, data, fin=fin)
        case Reset(stream):
            return writer.reset(stream)
        case Ping(number):
            return writer.ping(number)
    return writer.go_away(1)


def test_the_dictionary_is_that_of_the_draft() -> None:
    """Its checksum stands at the head of what every client compresses."""
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2


@given(st.lists(FRAMES, max_size=8), st.integers(1, 40))
def test_frames_arrive_however_they_are_cut(frames: list[Frame], size: int) -> None:
    """In their order, with headers that are compressed across frames."""
    writer, reader = FrameWriter(), FrameReader()
    sent = b"".join(write(writer, frame) for frame in frames)
    pieces = (sent[at : at + size] for at in range(0, len(sent), size))
    assert [frame for piece in pieces for frame in reader.feed(piece)] == frames


@given(st.binary(max_size=200))
def test_anything_is_read_or_refused(data: bytes) -> None:
    """Nobody can send what ends in another error."""
    try:
        list(FrameReader().feed(data))
    except BadFrameError:
        return


def test_headers_of_a_captured_frame() -> None:
    """kubectl 1.37.1 asks for a port."""
    frame = bytes.fromhex(
        "800300010000003e00000001000000000000"
        "78f9e3c6a7c202253a703a2b294a4dcc851625aca9a0808614cb45e01c606a6060c0c0c0c0590489c64c50f2663400"
        "000000ffff"
    )
    (opened,) = FrameReader().feed(frame)
    assert opened == OpenedStream(1, {"port": "5000", "requestid": "0", "streamtype": "error"})


def test_a_reply_is_no_news() -> None:
    """A server hears nothing from it, but has to read it: later headers build on it."""
    writer, reader = FrameWriter(), FrameReader()
    assert list(reader.feed(writer.reply(1))) == []
    assert list(reader.feed(writer.opened(3, {"port": "1"}))) == [OpenedStream(3, {"port": "1"})]


@pytest.mark.parametrize("block", [b"", b"\0\0\0\x09", b"\0\0\0\x01\xff\xff\xff\xff"])
def test_headers_that_end_too_soon(block: bytes) -> None:
    """They end the connection."""
    pack = zlib.compressobj(zdict=DICTIONARY)
    body = b"\0\0\0\x01" + b"\0" * 6 + pack.compress(block) + pack.flush(zlib.Z_SYNC_FLUSH)
    frame = b"\x80\x03\0\x01" + len(body).to_bytes(4, "big") + body
    with pytest.raises(BadFrameError):
        list(FrameReader().feed(frame))


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("frames", "size", "cut"), [(500_000, 0, 1 << 30), (1, (1 << 24) - 1, 200)]
)
def test_much_is_read_without_moving_it_each_time(frames: int, size: int, cut: int) -> None:
    """Many small frames at once, or a large one in small pieces, would take minutes."""
    reader = FrameReader()
    sent = FrameWriter().data(1, bytes(size)) * frames
    pieces = (sent[at : at + cut] for at in range(0, len(sent), cut))
    assert sum(1 for piece in pieces for _ in reader.feed(piece)) == frames
