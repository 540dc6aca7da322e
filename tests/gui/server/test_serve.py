"""The server's own settings."""

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from nicegui.elements.upload_files import SmallFileUpload, create_file_upload
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartParser

from visual_foresight.gui.page.scene.uploads import MAX_BYTES
from visual_foresight.gui.server.serve import GuiConfig, keep_uploads_in_memory
from visual_foresight.types import UserError


@pytest.mark.parametrize(
    "address",
    ["https://lab.example", "http://lab.example:8000/robot/", "https://10.0.0.1/a/b-c_d.e~f"],
)
def test_an_outer_address_is_one_that_a_browser_shows(address):
    assert GuiConfig(model="still", address=address).address == address


@pytest.mark.parametrize(
    "address",
    [
        "lab.example",
        "/robot",
        "ftp://lab.example",
        "https://lab.example/?a=b",
        "https://a/b;x=1",
    ],
)
def test_what_is_no_outer_address_is_refused(address):
    with pytest.raises(UserError, match="is written like https://lab.example"):
        GuiConfig(model="still", address=address)


def test_uploads_stay_off_the_disk(monkeypatch):
    monkeypatch.setattr(MultiPartParser, "spool_max_size", MultiPartParser.spool_max_size)
    keep_uploads_in_memory()
    upload = UploadFile(io.BytesIO(bytes(MAX_BYTES - 1)), filename="large.png")
    with ThreadPoolExecutor(1) as thread:  # Playwright leaves a loop running in this one
        received = thread.submit(lambda: asyncio.run(create_file_upload(upload))).result()
    assert isinstance(received, SmallFileUpload)
