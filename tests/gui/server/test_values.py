"""Which values of its fields a page may bring."""

import pytest
from nicegui import Client, events, ui

from visual_foresight.gui.page.arguments import checked
from visual_foresight.gui.server.values import is_value_of


@pytest.fixture(scope="module")
def fields():
    """One field of each kind, on a page that nobody opened."""
    with Client(ui.page("/nowhere"), request=None):
        tabs = ui.tabs()
        with tabs:
            ui.tab("Runs")
            ui.label("has no name")
        return {
            "select": ui.select({"a": "A", "b": "B"}, value="a"),
            "toggle": ui.toggle(["a", "b"], value="a"),
            "tabs": tabs,
            "slider": ui.slider(min=0, max=3, value=1),
            "input": ui.input(value="1"),
            "switch": ui.switch(value=False),
        }


@pytest.mark.parametrize(
    ("kind", "right"),
    [
        ("select", {"value": 1, "label": "B"}),
        ("toggle", 0),
        ("tabs", "Runs"),
        ("slider", 2.5),
        ("input", ""),
        ("switch", True),
    ],
)
def test_a_field_takes_its_own_values_and_no_others(fields, kind, right):
    assert is_value_of(fields[kind], right)
    odd = [None, [], {}, {"value": 2}, {"value": "a"}, 7, -1, float("nan"), "nowhere", [[1]]]
    for value in odd:
        if kind == "input" and (value is None or isinstance(value, str)):
            continue
        assert not is_value_of(fields[kind], value), value


@pytest.mark.parametrize(
    "values", [None, [], [1.0], [1, 2, 3], ["1", True], [True, True], [float("inf"), True]]
)
def test_a_handler_gets_only_what_its_script_sends(fields, values):
    taken = []
    handler = checked(lambda event: taken.append(event.args), float, bool)
    for args in (values, [0, False]):
        sender = fields["switch"]
        handler(events.GenericEventArguments(sender=sender, client=sender.client, args=args))
    assert taken == [[0, False]]
