// Checks the form of a job while it is filled in: the server looks at it, and says what a file with it would be told.
const form = document.getElementById("job-form");
const WAIT = 700;
let due = null;
let latest = 0;

const model = document.getElementById("model-name");
const TAKES = { "logistic-regression": [], mlp: ["hidden"], cnn: ["height", "width", "channels"] };
const showParameters = () => {
  for (const name of ["hidden", "height", "width", "channels"]) {
    const field = document.getElementById(`model-parameters-${name}`)?.closest(".field");
    if (field) field.hidden = !(TAKES[model.value] ?? []).includes(name);
  }
};

const touched = new Set();
async function check() {
  const mine = ++latest;
  const body = new FormData(form);
  body.set("action", "check");
  let answer;
  try {
    // Not form.action: its buttons are called that too.
    answer = await fetch(form.getAttribute("action"), { method: "POST", body, credentials: "same-origin" });
  } catch {
    return;
  }
  // A later check is under way, or the site says something else than the form.
  if (mine !== latest || ![200, 422].includes(answer.status) || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-part]")) {
    const next = fresh.getElementById(part.id);
    if (!next) continue;
    const { field } = part.dataset;
    // Fields that were not reached yet are not faulted while somebody types elsewhere.
    if (field && !touched.has(field)) continue;
    if (part.innerHTML !== next.innerHTML) part.replaceChildren(...document.adoptNode(next).childNodes);
    if (field) {
      const input = document.getElementById(field);
      if (part.children.length) input?.setAttribute("aria-invalid", "true");
      else input?.removeAttribute("aria-invalid");
    }
  }
}

const later = (event) => {
  if (event.target.id) touched.add(event.target.id);
  clearTimeout(due);
  due = setTimeout(check, WAIT);
};

if (form) {
  document.querySelectorAll("[data-part] .fault").forEach((each) => { const { field } = each.closest("[data-part]").dataset; if (field) touched.add(field); });
  form.addEventListener("input", later);
  form.addEventListener("focusout", later);
  model?.addEventListener("change", showParameters);
  showParameters();
  document.querySelector("[aria-invalid]")?.focus();
}
