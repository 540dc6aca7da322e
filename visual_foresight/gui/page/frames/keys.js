/* On a focused frame: sends the keys that move the cursor, make a goal and move the timeline, and
   Shift. */
(event) => {
  const arrows = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
  const goal = ["Enter", " ", "Backspace", "Escape"];
  const timeline = ["PageUp", "PageDown", "Home", "End", "[", "]", "p"];
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (![...arrows, ...goal, ...timeline].includes(event.key)) return;
  event.preventDefault();
  emit(event.key, event.shiftKey);
};
