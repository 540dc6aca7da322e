/* Zooms and pans both frames together, in the browser alone: wheel, pinch, buttons, keys. The style
   sheet knows `--zoom` and `--pan-x`, `--pan-y`, shares of a frame by which it is moved. */
{
  const LEVELS = [1, 1.5, 2, 3, 4, 6, 8, 12];
  const LARGEST = LEVELS[LEVELS.length - 1];
  const PAN_BY = 0.1; // of the viewport, with an arrow key
  const MARGIN = 0.1; // of the viewport, that is kept between its edge and the keyboard's cursor
  const view = { zoom: 1, x: 0, y: 0 };

  const show = () => {
    view.zoom = Math.min(Math.max(view.zoom, 1), LARGEST);
    view.x = Math.min(Math.max(view.x, 1 - view.zoom), 0);
    view.y = Math.min(Math.max(view.y, 1 - view.zoom), 0);
    const style = document.documentElement.style;
    style.setProperty("--zoom", view.zoom);
    style.setProperty("--pan-x", view.x);
    style.setProperty("--pan-y", view.y);
    document.body.classList.toggle("zoomed", view.zoom > 1);
    const percent = `${Math.round(100 * view.zoom)} %`;
    document.querySelectorAll(".zoom-reset").forEach((button) => {
      button.dataset.zoom = percent;
      button.setAttribute("aria-label", `Reset the zoom, now ${percent}`);
    });
  };
  /* What is at a place of the viewport, in shares of it, stays there. */
  const zoomTo = (zoom, x = 0.5, y = 0.5) => {
    const next = Math.min(Math.max(zoom, 1), LARGEST);
    view.x = x - ((x - view.x) / view.zoom) * next;
    view.y = y - ((y - view.y) / view.zoom) * next;
    view.zoom = next;
    show();
  };
  const step = (sign) => {
    const levels = sign > 0 ? LEVELS : [...LEVELS].reverse();
    zoomTo(levels.find((level) => sign * level > sign * view.zoom + 1e-6) ?? view.zoom);
  };
  const reset = () => zoomTo(1);
  const pan = (x, y) => {
    view.x += x;
    view.y += y;
    show();
  };
  const viewportOf = (event) => event.target.closest?.(".viewport");
  const placeIn = (viewport, { clientX, clientY }) => {
    const box = viewport.getBoundingClientRect();
    return [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".zoom button");
    if (!button) return;
    if (button.matches(".zoom-in")) step(1);
    else if (button.matches(".zoom-out")) step(-1);
    else reset();
  });

  /* The wheel scrolls the page where there is nothing to zoom: out at the smallest, and in while the
     page is scrolled down. */
  document.addEventListener(
    "wheel",
    (event) => {
      const viewport = viewportOf(event);
      if (!viewport) return;
      const isIn = event.deltaY < 0;
      if (!event.ctrlKey && (isIn ? scrollY > 0 : view.zoom === 1)) return;
      event.preventDefault();
      const pixels = event.deltaMode ? 40 * event.deltaY : event.deltaY;
      const strength = event.ctrlKey && Math.abs(pixels) < 50 ? 0.01 : 0.002;
      zoomTo(view.zoom * Math.exp(-strength * pixels), ...placeIn(viewport, event));
    },
    { passive: false },
  );

  /* Dragging: what is imagined with any button, the scene with the middle one or with Shift, since a
     plain drag makes a goal there. */
  let drag = null;
  document.addEventListener("pointerdown", (event) => {
    const viewport = viewportOf(event);
    if (!viewport || event.pointerType === "touch" || view.zoom === 1) return;
    const isFree = !event.target.closest(".frame.click, input");
    if (event.button !== 1 && !(event.button === 0 && (event.shiftKey || isFree))) return;
    event.preventDefault();
    drag = { id: event.pointerId, viewport, at: placeIn(viewport, event) };
  });
  document.addEventListener("pointermove", (event) => {
    if (drag?.id !== event.pointerId) return;
    const at = placeIn(drag.viewport, event);
    pan(at[0] - drag.at[0], at[1] - drag.at[1]);
    drag.at = at;
  });
  const release = () => (drag = null);
  document.addEventListener("pointerup", release);
  document.addEventListener("pointercancel", release);

  /* Two fingers. */
  let pinch = null;
  const grip = (viewport, [one, other]) => {
    const [x, y] = placeIn(viewport, one);
    const [u, v] = placeIn(viewport, other);
    const width = Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    return { viewport, x: (x + u) / 2, y: (y + v) / 2, width };
  };
  document.addEventListener("touchstart", (event) => {
    const viewport = viewportOf(event);
    if (!viewport || event.touches.length !== 2) return;
    document.querySelectorAll(".frame").forEach((frame) => {
      frame.tap = null; // the first finger marks nothing, and drags no marker
      frame.holds = false;
    });
    pinch = grip(viewport, event.touches);
  });
  document.addEventListener(
    "touchmove",
    (event) => {
      if (!pinch || event.touches.length !== 2) return;
      event.preventDefault();
      const next = grip(pinch.viewport, event.touches);
      pan(next.x - pinch.x, next.y - pinch.y);
      zoomTo((view.zoom * next.width) / Math.max(pinch.width, 1), next.x, next.y);
      pinch = next;
    },
    { passive: false },
  );
  document.addEventListener("touchend", (event) => {
    if (event.touches.length < 2) pinch = null;
  });

  /* Keys on a frame. The keyboard's cursor stays in sight; what is imagined has none, and is moved. */
  const MOVES = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const reveal = (frame) => {
    const cursor = frame.querySelector(".cursor");
    if (!cursor || view.zoom === 1) return;
    const [x, y] = [+cursor.dataset.x, +cursor.dataset.y];
    const into = (place, moved) => {
      const at = moved + view.zoom * place;
      return Math.min(Math.max(at, MARGIN), 1 - MARGIN) - at;
    };
    pan(into(x, view.x), into(y, view.y));
  };
  const seen = new WeakSet();
  document.addEventListener("keydown", (event) => {
    const frame = event.target.closest?.(".frame");
    if (!frame || event.ctrlKey || event.altKey || event.metaKey) return;
    if (!seen.has(frame)) {
      seen.add(frame);
      const options = { subtree: true, childList: true };
      new MutationObserver(() => reveal(frame)).observe(frame, options);
    }
    if (event.key === "+" || event.key === "=") step(1);
    else if (event.key === "-") step(-1);
    else if (event.key === "0") reset();
    else if (event.key in MOVES && !frame.matches(".click") && view.zoom > 1) {
      pan(...MOVES[event.key].map((direction) => PAN_BY * direction));
    } else return;
    event.preventDefault();
  });

  new MutationObserver((_, observer) => {
    if (!document.querySelector(".zoom-reset")) return;
    observer.disconnect();
    show();
  }).observe(document, { subtree: true, childList: true });
}
