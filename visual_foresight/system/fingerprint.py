"""A short name for plain JSON values.

Two results are about the same thing when their fingerprints are equal.
"""

import hashlib
import json
from typing import Any


def fingerprint(content: Any) -> str:
    """Return 16 hexadecimal digits that stand for plain JSON values."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
