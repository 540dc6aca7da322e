/* Over the frame: sends where the pointer is, as shares of the frame's width and height, and
   whether it has moved by more than 3 px since it was pressed: less is a click. */
(event) => {
  const frame = event.currentTarget;
  const place = [event.clientX, event.clientY];
  if (event.type === "pointermove" && !event.buttons) return;
  if (event.type === "pointerdown") {
    if (event.button !== 0) return;
    frame.setPointerCapture(event.pointerId);
    frame.pressedAt = place;
    frame.hasMoved = false;
  }
  if (!frame.pressedAt) return;
  const away = Math.hypot(place[0] - frame.pressedAt[0], place[1] - frame.pressedAt[1]);
  frame.hasMoved = frame.hasMoved || away > 3;
  if (event.type === "pointerup") frame.pressedAt = null;
  if (event.type === "pointermove" && !frame.hasMoved) return;
  const box = frame.getBoundingClientRect();
  emit((place[0] - box.left) / box.width, (place[1] - box.top) / box.height, frame.hasMoved);
};
