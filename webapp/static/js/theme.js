// Light or dark, as the visitor chose last; before the page is painted.
(() => {
  "use strict";
  const KEY = "cairn-theme";
  const root = document.documentElement;
  const dark = () => root.dataset.theme === "dark" ||
    (!root.dataset.theme && window.matchMedia("(prefers-color-scheme: dark)").matches);
  const remembered = () => {
    try { return localStorage.getItem(KEY); } catch { return null; } // storage can be forbidden
  };
  const remember = (theme) => {
    try { localStorage.setItem(KEY, theme); } catch { /* then it lasts as long as the page */ }
  };
  const chosen = remembered();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const show = () => { button.textContent = dark() ? "Light" : "Dark"; button.setAttribute("aria-label", `Switch to ${dark() ? "light" : "dark"} colours`); };
    button.hidden = false;
    show();
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
    button.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      remember(root.dataset.theme);
      show();
    });
  });
})();
