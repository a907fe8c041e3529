"""Files under ASGI are read piece by piece, and under WSGI left as they are."""

import io

from django.http import FileResponse, HttpResponse
from django.test import AsyncRequestFactory, RequestFactory

from realtime.serve.streaming import stream_files

PIECE = 4096


def response_of(factory, response):
    return stream_files(lambda request: response)(factory.get("/"))


async def test_asgi_response_reads_no_more_than_was_taken():
    file = io.BytesIO(b"x" * 10 * PIECE)
    response = response_of(AsyncRequestFactory(), FileResponse(file))
    parts = aiter(response)
    assert len(await anext(parts)) == PIECE == file.tell()  # codespell:ignore
    assert sum([len(part) async for part in parts]) == 9 * PIECE
    response.close()
    assert file.closed


def test_wsgi_response_is_unchanged():
    response = response_of(RequestFactory(), FileResponse(io.BytesIO(b"hello")))
    assert b"".join(response) == b"hello"


async def test_ordinary_response_is_unchanged():
    response = HttpResponse("hello")
    assert response_of(AsyncRequestFactory(), response) is response
