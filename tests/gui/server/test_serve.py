"""The server's own settings."""

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor

from nicegui.elements.upload_files import SmallFileUpload, create_file_upload
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartParser

from visual_foresight.gui.page.uploads import MAX_BYTES
from visual_foresight.gui.server.serve import keep_uploads_in_memory


def test_uploads_stay_off_the_disk(monkeypatch):
    monkeypatch.setattr(MultiPartParser, "spool_max_size", MultiPartParser.spool_max_size)
    keep_uploads_in_memory()
    upload = UploadFile(io.BytesIO(bytes(MAX_BYTES - 1)), filename="large.png")
    with ThreadPoolExecutor(1) as thread:  # Playwright leaves a loop running in this one
        received = thread.submit(lambda: asyncio.run(create_file_upload(upload))).result()
    assert isinstance(received, SmallFileUpload)
