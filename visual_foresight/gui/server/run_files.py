"""The addresses of pictures and exports of kept runs: `/runs/<run>.<suffix>`.

They change nothing, so that pages that only look on have them, too; the guard stands before them.
"""

import asyncio
import re
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from visual_foresight.gui.session.gallery.gallery import EXPORTS, PICTURE, Gallery
from visual_foresight.types import UserError

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".zip": "application/zip",
    ".gif": "image/gif",
    ".mp4": "video/mp4",
    PICTURE: "image/jpeg",
}
UNSAFE = re.compile(r"[^\w.-]", re.ASCII)
"""What no name of a downloaded file should have."""


def add_run_files(app: Any, gallery: Gallery) -> None:
    """Give an application (FastAPI's, which the toolkit's is) the addresses."""

    @app.get("/runs/{file_name}")
    async def send(file_name: str) -> Response:
        name, dot, kind = file_name.rpartition(".")
        suffix = dot + kind
        make = (
            gallery.picture if suffix == PICTURE else lambda name: gallery.export(name, suffix)
        )
        try:
            # in a thread, so that the pages go on meanwhile
            content = await asyncio.to_thread(make, name)
        except UserError as error:
            return Response(f"{error}\n", 404, media_type="text/plain")
        headers = {"Cache-Control": "private, max-age=86400, immutable"}
        if suffix in EXPORTS:
            headers = {
                "Cache-Control": "no-store",
                "Content-Disposition": disposition(file_name),
            }
        return Response(content, headers=headers, media_type=MEDIA_TYPES[suffix])


def disposition(file_name: str) -> str:
    """Return the header that has a browser save an answer under a name."""
    plain = UNSAFE.sub("_", file_name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"
