"""A short name for JSON values, to tell whether two results have the same settings."""

import hashlib
import json
from typing import Any


def fingerprint(content: Any) -> str:
    """Return 16 hexadecimal digits that identify plain JSON values, whatever their key order."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
