// An alert that is judged, in the queue or on a page of its own: keys for its buttons. All of it works without.
const page = document.getElementById("review");
const toggle = document.getElementById("keys");

let keysOn = localStorage.getItem("review-keys") !== "off";

function showKeys() {
  toggle.hidden = false;
  toggle.setAttribute("aria-pressed", String(keysOn));
  page.classList.toggle("no-keys", !keysOn);
}

toggle.addEventListener("click", () => {
  keysOn = !keysOn;
  localStorage.setItem("review-keys", keysOn ? "on" : "off");
  showKeys();
});

document.addEventListener("keydown", (event) => {
  const at = document.activeElement;
  if (event.key === "Escape" && at.matches("textarea")) return at.blur();
  if (!keysOn || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (at.matches("input, textarea, select")) return;
  const wanted = document.querySelector(`[data-code="${CSS.escape(event.code)}"]`);
  if (!wanted || wanted.closest("[hidden]")) return;
  event.preventDefault();
  if (wanted.matches("textarea")) wanted.focus();
  else wanted.click();
});

// Who decides twice by a nervous finger decides once.
let sent = false;
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
}
window.addEventListener("pageshow", () => {
  sent = false;
});

showKeys();
