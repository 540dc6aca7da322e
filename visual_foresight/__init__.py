"""Visual Foresight: a robot that sees, imagines and acts.

Start at `types` (the nouns) and `interfaces` (the verbs). Importing the package loads nothing
heavy.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("visual-foresight")
except PackageNotFoundError:  # run from a source tree that is not installed
    __version__ = "0+unknown"
