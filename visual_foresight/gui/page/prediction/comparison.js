/* Lays what was seen over what is imagined: moves the wipe, blends, and draws the difference. */
{
  const root = document.documentElement;
  const panel = () => document.querySelector(".prediction");
  const PARTS = ["red", "green", "blue"];

  const pixels = (image, width, height) => {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.imageSmoothingEnabled = false;
    context.drawImage(image, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
  };
  /* Signed: grey where both are equal. Absolute: black there. */
  const draw = () => {
    const [imagined, real, canvas] = ["img.imagined", "img.real", "canvas.difference"].map(
      (one) => panel()?.querySelector(one),
    );
    if (!imagined?.naturalWidth || !real?.naturalWidth) return;
    const width = (canvas.width = real.naturalWidth);
    const height = (canvas.height = real.naturalHeight);
    const is = pixels(imagined, width, height);
    const was = pixels(real, width, height);
    const isAbsolute = panel().querySelector(".is-absolute input").checked;
    const gain = 2 ** panel().querySelector("input.gain").value;
    const drawn = new ImageData(width, height);
    let sum = 0;
    let largest = 0;
    for (let index = 0; index < is.length; index++) {
      if (index % 4 === 3) {
        drawn.data[index] = 255;
        continue;
      }
      const difference = is[index] - was[index];
      const size = Math.abs(difference);
      sum += size;
      largest = Math.max(largest, size);
      drawn.data[index] = isAbsolute ? gain * size : 128 + gain * difference;
    }
    canvas.getContext("2d").putImageData(drawn, 0, 0);
    const mean = sum / (PARTS.length * width * height);
    const scale = isAbsolute
      ? `black: equal, white: ${Math.ceil(255 / gain)} or more`
      : `grey: equal, white: imagined ${Math.ceil(127 / gain)} or more too bright`;
    panel().querySelector(".difference-text").textContent =
      `× ${gain}; ${scale} (of 255). Mean ${mean.toFixed(1)}, largest ${largest}.`;
  };

  document.addEventListener(
    "load",
    (event) => {
      if (event.target.matches?.(".prediction .frame > img")) draw();
    },
    true,
  );
  document.addEventListener("input", ({ target }) => {
    if (target.matches?.(".wipe-handle")) root.style.setProperty("--wipe", target.value / 1000);
    else if (target.matches?.(".blend")) root.style.setProperty("--blend", target.value / 1000);
    else if (target.matches?.(".gain, .is-absolute input")) draw();
  });
}
