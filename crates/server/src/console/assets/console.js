// What the pages do beyond links and forms: keys, local times, copying, asking once more.
// Everything works without this file; it only makes it quicker.
"use strict";

const two = (n) => String(n).padStart(2, "0");

// Times come in UTC; here they become the reader's own, in the same shape and width.
function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([data-local])")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.textContent =
      `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ` +
      `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
    time.title = at.toString();
    time.dataset.local = "";
  }
}

document.addEventListener("DOMContentLoaded", () => localise(document));
document.addEventListener("htmx:load", (event) => localise(event.detail.elt.parentElement ?? document));

// A page that nobody looks at asks for nothing.
document.addEventListener("htmx:beforeRequest", (event) => {
  const live = event.detail.elt.hasAttribute("data-live");
  if (live && (document.hidden || document.documentElement.dataset.still === "yes")) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  document.documentElement.dataset.asleep = document.hidden ? "yes" : "no";
});

// What is scrolled stays so when it is refreshed; a drawing begins with its first step in view.
const scrolled = {};
function settle(drawing) {
  const start = drawing.querySelector(".start");
  if (drawing.id in scrolled) drawing.scrollLeft = scrolled[drawing.id];
  else if (start) {
    const [box, frame] = [start.getBoundingClientRect(), drawing.getBoundingClientRect()];
    drawing.scrollLeft += box.left + box.width / 2 - frame.left - frame.width / 2;
  }
}
document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".drawing").forEach(settle));
document.addEventListener("htmx:beforeSwap", () => {
  for (const one of document.querySelectorAll(".drawing")) scrolled[one.id] = one.scrollLeft;
});
document.addEventListener("htmx:afterSwap", () => document.querySelectorAll(".drawing").forEach(settle));

// `g` and a letter goes somewhere, `/` searches, `j` and `k` walk through rows, `?` explains.
const places = {};
document.addEventListener("DOMContentLoaded", () => {
  for (const link of document.querySelectorAll("a[data-key]")) places[link.dataset.key] = link.href;
});
let waiting = 0;

function rows() {
  return [...document.querySelectorAll("main .rows tbody a.row-link")];
}

function walk(step) {
  const all = rows();
  if (all.length === 0) return;
  const at = all.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
  all[next].focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "Escape" && typing) {
    typing.blur();
    return;
  }
  if (typing) return;
  const dialog = document.getElementById("keys");
  if (waiting && Date.now() - waiting < 1500 && places[event.key]) {
    waiting = 0;
    event.preventDefault();
    window.location.assign(places[event.key]);
    return;
  }
  waiting = event.key === "g" ? Date.now() : 0;
  if (event.key === "/") {
    const field = document.querySelector("main [data-find]") ?? document.querySelector("[data-find]");
    if (field) {
      event.preventDefault();
      field.focus();
      field.select();
    }
  } else if (event.key === "j") walk(1);
  else if (event.key === "k") walk(-1);
  else if (event.key === "?" && dialog) dialog.showModal();
});

// Buttons that stop or change much ask once more; others copy a text.
document.addEventListener("submit", (event) => {
  const sentence = event.submitter?.dataset.confirm;
  if (sentence && !window.confirm(sentence)) event.preventDefault();
});
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  if (!source) return;
  await navigator.clipboard.writeText(source.value ?? source.textContent);
  button.dataset.done = "yes";
  window.setTimeout(() => delete button.dataset.done, 1500);
});
