"""Attached pictures: read in a contained child, made small, and nothing a file does there reaches the console."""

from __future__ import annotations

import sys
from io import BytesIO

import pytest

from supportdesk.bootstrap import shrink_picture
from supportdesk.mail.child import MailParserPool, ParseFailed
from supportdesk.mail.model import Picture
from supportdesk.mail.pictures import MAX_PIXELS, available, decode_picture, encode_picture
from supportdesk.mail.wire import Malformed
from tests.mail.pictures import Colour, claiming_png, png

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 255)
FOUR = png([[RED, GREEN], [BLUE, WHITE]])

needs_pillow = pytest.mark.skipif(not available(), reason="Pillow (extra `images`) is not installed")


def of_pillow(kind: str, size: tuple[int, int], colour: Colour | tuple[int, int, int, int], **saved: object) -> bytes:
    from PIL import Image

    file = BytesIO()
    Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour).save(file, kind, **saved)
    return file.getvalue()


@needs_pillow
def test_each_pixel_of_a_small_picture_comes_back():
    with MailParserPool(1) as pool:
        picture = pool.shrink_picture(FOUR, 80, 44)
    assert (picture.width, picture.height) == (2, 2)
    assert [picture.pixel(x, y) for y in (0, 1) for x in (0, 1)] == [RED, GREEN, BLUE, WHITE]


@needs_pillow
@pytest.mark.parametrize(
    ("size", "shrunk"), [((400, 200), (80, 40)), ((200, 400), (22, 44)), ((5000, 1), (80, 1)), ((80, 44), (80, 44))]
)
def test_a_picture_is_made_to_fit_the_pane_and_keeps_its_shape(size: tuple[int, int], shrunk: tuple[int, int]):
    picture = shrink_picture(png([[BLUE] * size[0]] * size[1]), 80, 44)
    assert picture is not None
    assert (picture.width, picture.height) == shrunk
    assert set(zip(*[iter(picture.rows)] * 3, strict=True)) == {BLUE}


@needs_pillow
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_the_four_formats_are_read(kind: str):
    picture = shrink_picture(of_pillow(kind, (8, 4), WHITE), 80, 44)
    assert picture == Picture(8, 4, b"\xff" * 8 * 4 * 3)


@needs_pillow
def test_what_is_transparent_stands_on_white_and_a_photograph_stands_upright():
    from PIL import Image

    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held upright
    assert shrink_picture(of_pillow("PNG", (1, 1), (9, 9, 9, 0)), 80, 44) == Picture(1, 1, bytes(WHITE))
    upright = shrink_picture(of_pillow("JPEG", (400, 200), RED, exif=turned), 80, 44)
    assert upright is not None
    assert (upright.width, upright.height) == (22, 44)


@needs_pillow
@pytest.mark.parametrize(
    ("file", "reason", "detail"),
    [
        (lambda: claiming_png(0x7FFFFFFF, 0x7FFFFFFF, 1 << 20), "error", "DecompressionBomb"),
        (lambda: claiming_png(MAX_PIXELS + 1, 1, 1 << 10), "error", "DecompressionBomb"),
        (lambda: claiming_png(MAX_PIXELS // 8000 - 1, 8000, 64 << 20), "memory|error", "|OSError"),
        (lambda: of_pillow("JPEG", (640, 480), RED)[:-2000], "error", "OSError"),
        (lambda: of_pillow("BMP", (8, 4), RED), "error", "UnidentifiedImageError"),
        (lambda: FOUR[:40], "error", ""),
        (lambda: b"\x89PNG\r\n\x1a\n", "error", ""),
    ],
    ids=[
        "huge IHDR",
        "over the limit",
        "a bomb",
        "a truncated JPEG",
        "another format",
        "a truncated PNG",
        "no more than a beginning",
    ],
)
def test_a_hostile_or_broken_picture_costs_its_child_and_the_next_one_is_read(file, reason: str, detail: str):
    with MailParserPool(1, seconds=20) as pool:
        with pytest.raises(ParseFailed) as failure:
            pool.shrink_picture(file(), 80, 44)
        assert failure.value.reason in reason.split("|")
        assert any(one in failure.value.detail for one in detail.split("|"))
        assert pool.shrink_picture(FOUR, 80, 44).pixel(0, 0) == RED


def test_without_pillow_no_child_is_started(monkeypatch: pytest.MonkeyPatch):
    def start(*_arguments: object) -> None:
        raise AssertionError("a child was started")

    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setattr("supportdesk.mail.child._spawn", start)
    assert shrink_picture(FOUR, 80, 44) is None


@pytest.mark.parametrize(
    "answer", [b"", b"\0\1\0", b"\0\1\0\1", b"\0\1\0\1" + b"x" * 4, b"\0\0\0\0", b"\0\x51\0\1" + b"x" * 81 * 3]
)
def test_an_answer_that_is_no_picture_of_the_size_asked_for_is_refused(answer: bytes):
    picture = Picture(2, 1, b"abcdef")
    assert decode_picture(encode_picture(picture), 80, 44) == picture
    with pytest.raises(Malformed):
        decode_picture(answer, 80, 44)
