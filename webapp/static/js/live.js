// Keeps a page up to date: the server says that something happened, the page fetches itself and takes over its parts.
const main = document.querySelector("main[data-live]");
const state = document.getElementById("live-state");
const say = (text) => { if (state && state.textContent !== text) state.textContent = text; };

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  if (!answer.ok) {
    say("This page could not be brought up to date.");
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live-part]")) {
    const next = fresh.getElementById(part.id);
    if (!next || next.innerHTML === part.innerHTML || part.contains(document.activeElement)) continue;
    const opened = [...part.querySelectorAll("details")].map((each) => each.open);
    part.replaceChildren(...document.adoptNode(next).childNodes);
    part.querySelectorAll("details").forEach((each, place) => { each.open = opened[place] ?? each.open; });
  }
  document.dispatchEvent(new Event("cairn:changed"));
}

let due = null;
const soon = () => {
  // Several events of one block are one look.
  due ??= setTimeout(async () => {
    due = null;
    try { await refresh(); say(`Up to date at ${new Date().toLocaleTimeString()}.`); } catch { say("The server can't be reached; trying again."); }
  }, 300);
};

if (main && "EventSource" in window) {
  const source = new EventSource(main.dataset.live);
  let known = main.dataset.block;
  const heard = (event, always) => {
    const hash = JSON.parse(event.data).block_hash;
    if (always || hash !== known) soon();
    known = hash;
  };
  // The first event of a connection says where the index is, so that nothing is missed in between.
  source.addEventListener("now", (event) => heard(event, false));
  source.addEventListener("change", (event) => heard(event, true));
  source.addEventListener("open", () => say("Live."));
  source.addEventListener("error", () => say("The live connection is interrupted; trying again."));
  window.addEventListener("pagehide", () => source.close());
}
