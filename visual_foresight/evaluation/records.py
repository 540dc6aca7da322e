"""Results on disk: JSON objects, one file each, that an interrupted command finds again."""

import json
import logging
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

Record = dict[str, Any]
"""The result of a trial, or the scores of a model: plain JSON values."""


def find_record(path: Path) -> Record | None:
    """Read an earlier result; None where there is none, or where the file is damaged."""
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        logger.warning("%s is damaged and is made anew", path)
        return None
    return found if isinstance(found, dict) else None
