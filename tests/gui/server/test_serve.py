"""The server's own settings."""

from pathlib import Path

import pytest

from visual_foresight.gui.server.serve import GuiConfig
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


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"token": "abcdefgh", "view_token": "abcdefgh"}, "choose another --view-token"),
        ({"view_token": "short"}, "8 or more letters"),
        ({"stop_when_alone": -1.0}, "choose another --stop-when-alone"),
        ({"stop_when_alone": float("nan")}, "choose another --stop-when-alone"),
        ({"tls_key": Path("key.pem")}, "give both --tls-certificate and --tls-key"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(flags, words):
    with pytest.raises(UserError, match=words):
        GuiConfig(model="still", **flags)
