/* Over the frame: sends where a pointer without a pressed button is, and an empty place when it leaves. */
(event) => {
  if (event.pointerType === "touch" || event.buttons) return;
  const box = event.currentTarget.getBoundingClientRect();
  if (event.type === "pointerleave") emit(-1, -1);
  else emit((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
};
