/* On a link to an export: fetches it, so that what keeps it from being made is said on the page. */
async (event) => {
  event.preventDefault();
  const link = event.currentTarget;
  emit(`${link.download} is being made ...`);
  try {
    const answer = await fetch(link.href);
    if (!answer.ok) {
      emit(await answer.text());
      return;
    }
    const saved = document.createElement("a");
    saved.href = URL.createObjectURL(await answer.blob());
    saved.download = link.download;
    saved.click();
    setTimeout(() => URL.revokeObjectURL(saved.href), 60000);
    emit(`Saved ${link.download}`);
  } catch {
    emit("the export did not arrive: see whether the program still runs, and try again");
  }
};
