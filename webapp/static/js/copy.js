// Buttons that copy the whole of what is shown shortened; without a script they are hidden.
const say = (text) => {
  const place = document.getElementById("live-state");
  if (place) place.textContent = text;
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1500);
    say("Copied.");
  } catch {
    say("The browser does not let this page copy; select the text instead.");
  }
});

const show = () => document.querySelectorAll("button[data-copy][hidden]").forEach((button) => { button.hidden = false; });
show();
document.addEventListener("cairn:changed", show);
