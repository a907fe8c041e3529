"""How much of an upload is read: past the limit a file is dropped, whatever it was announced as."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile


class BoundedUpload(FileUploadHandler):
    """Stops storing a file that is larger than ATTACHMENT_MAX_BYTES, and leaves its name in `request.too_large`."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin to count."""
        super().new_file(*args, **kwargs)
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Count, and pass on what is within the limit."""
        self.received += len(raw_data)
        if self.received > settings.ATTACHMENT_MAX_BYTES:
            too_large = getattr(self.request, "too_large", ())
            self.request.too_large = (*too_large, self.file_name)  # type: ignore[union-attr]
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the handlers that follow."""
