/* What the benchmark of the page does inside the browser (see page.py). */

/* Presses at a place of the frame, given as shares of its width and height; returns the
   milliseconds until a marker is drawn. */
async function clickToMarker([x, y]) {
  const frame = document.querySelector(".frame.click");
  const markers = frame.querySelector(".markers");
  const drawn = new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      if (!markers.querySelector(".mark")) return;
      observer.disconnect();
      resolve(performance.now());
    });
    observer.observe(markers, { childList: true, subtree: true });
  });
  const box = frame.getBoundingClientRect();
  const place = {
    bubbles: true,
    button: 0,
    pointerId: 1,
    isPrimary: true,
    clientX: box.left + x * box.width,
    clientY: box.top + y * box.height,
  };
  frame.setPointerCapture = () => {}; // there is no real pointer to capture
  const start = performance.now();
  frame.dispatchEvent(new PointerEvent("pointerdown", place));
  frame.dispatchEvent(new PointerEvent("pointerup", place));
  return (await drawn) - start;
}

/* Asks the server again and again while the session is busy; returns the milliseconds of each
   answer. */
async function pingWhileBusy() {
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const isBusy = () => document.querySelector(".status").classList.contains("busy");
  const times = [];
  while (!isBusy()) await pause(1);
  while (isBusy()) {
    const start = performance.now();
    await (await fetch("/alive")).text();
    times.push(performance.now() - start);
    await pause(20);
  }
  return times;
}

/* Presses the button of this name. */
function pressButton(name) {
  const buttons = [...document.querySelectorAll("button")];
  buttons.find((button) => button.innerText.trim() === name).click();
}
