"""What is kept on disk of a trial, or of a model: plain JSON values."""

import json
import logging
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

Record = dict[str, Any]
"""What is kept on disk of a trial, or of a model: plain JSON values."""


def find_record(path: Path) -> Record | None:
    """Read an earlier result, if there is one that can be read."""
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        logger.warning("%s is damaged and is made anew", path)
        return None
    return found if isinstance(found, dict) else None
