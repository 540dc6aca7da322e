/* On the focused frame: sends the keys that move the cursor and make a goal, and Shift. */
(event) => {
  const arrows = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
  const others = ["Enter", " ", "Backspace", "Escape"];
  if (![...arrows, ...others].includes(event.key)) return;
  event.preventDefault();
  emit(event.key, event.shiftKey);
};
