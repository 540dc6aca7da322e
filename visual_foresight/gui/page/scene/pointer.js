/* Over the frame: sends where the pointer is, as shares of the frame's width and height. A finger
   marks a pixel by a tap, and drags a marker that it touches; when it swipes, the page scrolls. */
(event) => {
  const frame = event.currentTarget;
  const REACH = 22, TAP = 10; // screen pixels: around a marker, and by which a tap may slip
  const send = () => {
    const box = frame.getBoundingClientRect();
    emit((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  };
  const distance = (x, y) => Math.hypot(event.clientX - x, event.clientY - y);
  const isNear = (mark) => {
    const box = mark.getBoundingClientRect();
    return distance(box.x + box.width / 2, box.y + box.height / 2) < REACH;
  };
  if (event.type === "pointercancel") {
    frame.tap = null;
    frame.holds = false;
    return;
  }
  if (event.type === "pointerdown") {
    if (event.button !== 0 || !event.isPrimary) return;
    const marks = [...frame.querySelectorAll("[data-pair]")];
    frame.holds = event.pointerType !== "touch" || marks.some(isNear);
    if (!frame.holds) {
      frame.tap = { x: event.clientX, y: event.clientY, send };
      return;
    }
    frame.setPointerCapture(event.pointerId);
  } else if (event.type === "pointerup" && frame.tap) {
    const { x, y, send: press } = frame.tap;
    frame.tap = null;
    if (distance(x, y) > TAP) return;
    press();
  } else if (!frame.holds) {
    return;
  }
  if (event.type === "pointerup") frame.holds = false;
  send();
};
