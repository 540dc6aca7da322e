/* Over the frame: sends where the pointer is, as shares of the frame's width and height. */
(event) => {
  const frame = event.currentTarget;
  if (event.type === "pointermove" && !event.buttons) return;
  if (event.type === "pointerdown") {
    if (event.button !== 0) return;
    frame.setPointerCapture(event.pointerId);
  }
  const box = frame.getBoundingClientRect();
  emit((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
};
