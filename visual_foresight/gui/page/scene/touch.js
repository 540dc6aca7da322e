/* Over the frame: keeps the page from scrolling while a finger drags a marker. */
(event) => {
  if (event.currentTarget.holds) event.preventDefault();
};
