"""What a page may say of its own fields: values that they can have, and nothing else.

The toolkit takes them as they come, and answers one that fits no field with a traceback in the log.
"""

from collections.abc import Mapping

from nicegui import Client, ui
from nicegui.element import Element
from nicegui.elements.choice_element import ChoiceElement
from nicegui.elements.mixins.value_element import ValueElement

VALUE = "update:"
"""What the toolkit's names of events begin with that bring a field's new value."""


def is_for_a_listener(message: Mapping[str, object], values: list[object]) -> bool:
    """Tell whether an event is for something of its page that listens, and brings what fits it.

    Args:
        message: of the form that `sockets.SHAPES` asks for.
        values: what it brings, as Python values.
    """
    page = Client.instances.get(str(message["client_id"]))
    element = page.elements.get(int(str(message["id"]))) if page is not None else None
    if element is None:
        return True  # the toolkit passes it over: it has just left the page
    listener = element._event_listeners.get(str(message["listener_id"]))
    if listener is None:
        return False
    if not listener.type.startswith(VALUE) or not isinstance(element, ValueElement):
        return True
    return len(values) == 1 and is_value_of(element, values[0])


def is_value_of(element: Element, value: object) -> bool:
    """Tell whether a browser can have taken a value from a field."""
    if isinstance(element, ui.select):
        value = value.get("value") if isinstance(value, dict) else None
    if isinstance(element, ChoiceElement):
        return type(value) is int and 0 <= value < len(element.options)
    if isinstance(element, ui.tabs | ui.tab_panels):
        names = [each.props.get("name") for each in element.descendants()]
        return isinstance(value, str) and value in names
    if isinstance(element, ui.slider):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and element.props["min"] <= value <= element.props["max"]
    if isinstance(element, ui.input):
        return value is None or isinstance(value, str)  # None: it was cleared
    return type(value) is type(getattr(element, "value", None))
