"""The addresses of pictures and exports of kept runs: `/runs/<run>.<suffix>`.

They change no run, so that pages that only look on have them, too; the guard stands before them.
Exports are made one at a time: they take seconds, and the cores that a search needs.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from visual_foresight.gui.session.gallery.gallery import EXPORTS, PICTURE, Gallery
from visual_foresight.types import UserError

MOST_WAITING = 4
"""Exports that wait for their turn; whoever asks for another one is asked to come again."""
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


class Busy(Exception):  # noqa: N818 (nothing is wrong)
    """Too many exports wait."""


def add_run_files(app: Any, gallery: Gallery) -> None:
    """Give an application (FastAPI's, which the toolkit's is) the addresses."""
    turn = asyncio.Semaphore(1)
    waiting = 0

    async def exported(make: Callable[[str], bytes], name: str) -> bytes:
        nonlocal waiting
        if waiting > MOST_WAITING:
            raise Busy
        waiting += 1
        try:
            async with turn:
                return await asyncio.to_thread(make, name)
        finally:
            waiting -= 1

    @app.get("/runs/{file_name}")
    async def send(file_name: str) -> Response:
        name, dot, kind = file_name.rpartition(".")
        suffix = dot + kind
        try:
            # in a thread, so that the pages go on meanwhile
            if suffix == PICTURE:
                content = await asyncio.to_thread(gallery.picture, name)
            else:
                content = await exported(lambda name: gallery.export(name, suffix), name)
        except Busy:
            return Response("other exports are being made: try again later\n", 503)
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
