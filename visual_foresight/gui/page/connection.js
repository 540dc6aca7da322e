/* Asks again and again whether the program answers, and says loudly when it does not; then nothing
   on the page can be pressed. Escape stops the robot always, Space when no control has the focus.
   The class `no-connection` of the body is what the style sheet knows (top.css). */
{
  const ASK_EVERY_MS = 500;
  const PATIENCE_MS = 2000;
  let askedAt = null; // of the oldest question that has no answer
  const show = (isLost) => {
    if (document.body.classList.contains("no-connection") === isLost) return;
    document.body.classList.toggle("no-connection", isLost);
    const panels = document.querySelectorAll(".page > :not(.top), .top .stop");
    panels.forEach((panel) => (panel.inert = isLost));
  };
  const ask = () => {
    const socket = window.socket;
    if (!socket) return;
    const isLate = askedAt !== null && performance.now() - askedAt > PATIENCE_MS;
    show(isLate || (window.did_handshake && !socket.connected));
    if (askedAt !== null || !socket.connected) {
      if (!socket.connected) askedAt = null;
      return;
    }
    const mine = (askedAt = performance.now());
    socket.emit("alive", () => {
      if (askedAt === mine) askedAt = null;
      show(false);
    });
  };
  setInterval(ask, ASK_EVERY_MS);

  const halt = () => document.querySelector(".top")?.dispatchEvent(new CustomEvent("halt"));
  document.addEventListener(
    "keydown",
    (event) => {
      const focus = document.activeElement;
      const isNowhere = !focus || focus === document.body || focus === document.documentElement;
      if (event.key === " " && isNowhere) event.preventDefault(); // it would scroll
      if (event.key === "Escape" || (event.key === " " && isNowhere)) halt();
    },
    true,
  );
}
