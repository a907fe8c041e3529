"""Middleware for ASGI: read a file as fast as the client takes it. Django would read all of it into memory first."""

from collections.abc import AsyncIterator, Callable, Iterator

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse


def stream_files(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Place it before middleware that answers with files itself, such as WhiteNoise."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if isinstance(response, StreamingHttpResponse) and hasattr(request, "scope") and not response.is_async:
            response.streaming_content = _read(iter(response.streaming_content))  # type: ignore[arg-type]
        return response

    return middleware


async def _read(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    read = sync_to_async(lambda: next(parts, b""), thread_sensitive=False)
    while part := await read():
        yield part
