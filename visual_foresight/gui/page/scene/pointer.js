/* Over the frame: sends where the pointer is, as shares of the frame's width and height, and whether
   it has moved by more than 3 px since it was pressed: less is a click. A finger marks a pixel by a
   tap, and drags a marker that it touches; when it swipes, the page scrolls. */
(event) => {
  const frame = event.currentTarget;
  const REACH = 22, TAP = 10, CLICK = 3; // screen pixels: around a marker, of a tap, of a click
  const send = () => {
    const box = frame.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    emit(x, (event.clientY - box.top) / box.height, frame.hasMoved);
  };
  const distance = ({ x, y }) => Math.hypot(event.clientX - x, event.clientY - y);
  const isNear = (mark) => {
    const box = mark.getBoundingClientRect();
    return distance({ x: box.x + box.width / 2, y: box.y + box.height / 2 }) < REACH;
  };
  if (event.type === "pointercancel") {
    frame.tap = null;
    frame.holds = false;
    return;
  }
  if (event.type === "pointerdown") {
    if (event.button !== 0 || !event.isPrimary || event.shiftKey) return;
    const marks = [...frame.querySelectorAll("[data-pair]")];
    frame.pressedAt = { x: event.clientX, y: event.clientY };
    frame.hasMoved = false;
    frame.holds = event.pointerType !== "touch" || marks.some(isNear);
    if (!frame.holds) {
      frame.tap = send;
      return;
    }
    frame.setPointerCapture(event.pointerId);
  } else if (event.type === "pointerup" && frame.tap) {
    const press = frame.tap;
    frame.tap = null;
    if (distance(frame.pressedAt) > TAP) return;
    press();
  } else if (!frame.holds) {
    return;
  } else {
    frame.hasMoved ||= distance(frame.pressedAt) > CLICK;
    if (event.type === "pointermove" && !frame.hasMoved) return;
  }
  if (event.type === "pointerup") frame.holds = false;
  send();
};
