"""Which websocket frames are let through, and nonsense against a running program."""

import pytest

from benchmarks.malformed_requests import attack
from visual_foresight.gui.server.frames import is_plain

NUM_REQUESTS = 300


@pytest.mark.parametrize(
    "text",
    [
        "2",
        "3",
        "2probe",
        "40",
        '40{"a":1}',
        "41",
        '42["ack",{}]',
        '4217["alive"]',
        '42["event",{"args":["a\\n"]}]',
    ],
)
def test_what_pages_send_is_let_through(text):
    assert is_plain(text)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "a",
        "4",
        "42",
        "42[]",
        "42{}",
        "42[1]",
        "42[[]]",
        '42["connect"]',
        '42["disconnect"]',
        '42["ack"',
        '42/other,["ack"]',
        "451-[]",
        "40[]",
        "42" + "[" * 5000 + "]" * 5000,
        "\u0662",
    ],
)
def test_what_no_page_sends_is_not(text):
    assert not is_plain(text)


@pytest.mark.slow
def test_nonsense_is_no_failure_of_the_program(start):
    assert attack(start(), NUM_REQUESTS).all_complaints == []
