/* On the file field: sends the chosen picture to the server; sends on why it was refused. */
async (event) => {
  const [picture] = event.target.files;
  event.target.value = ""; // so that the same file can be chosen again
  if (!picture) return;
  if (picture.size > MAX_BYTES) {
    emit("the picture is too large: choose a smaller one");
    return;
  }
  try {
    const address = `${window.path_prefix}/goal-image`;
    const answer = await fetch(address, { method: "POST", body: picture });
    if (!answer.ok) emit(await answer.text());
  } catch {
    emit("the picture did not arrive: see whether the program still runs, and try again");
  }
};
