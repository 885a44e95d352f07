// One box: renewed every few seconds, faster while an order is on its way; and the live look.
import { fill, follow } from "./live.js";

const root = document.querySelector("[data-live]");
const csrf = root.dataset.csrf;
const ask = follow(root.dataset.live, root, (values) => (values && values.busy ? 1000 : 4000));
const said = document.getElementById("said");

function say(text) {
  said.textContent = text;
  said.hidden = !text;
}

// ------------------------------------------------------------------ orders
root.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-order]");
  if (!form) return;
  event.preventDefault();
  const button = event.submitter;
  if (button) button.disabled = true;
  say("");
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { "x-csrf": csrf, accept: "application/json" },
    });
    const words = await answer.json();
    if (!answer.ok) say([words.error, words.hint].filter(Boolean).join(" – "));
    else {
      const folded = form.closest("details");
      if (folded) folded.open = false;
      if (words.is_look) look(words.id, `${form.dataset.name} · ${form.dataset.title}`);
    }
  } catch {
    say(root.dataset.wordAway);
  }
  if (button) button.disabled = false;
  ask();
});

// ------------------------------------------------------------------ the live look
const pane = document.getElementById("look");
const image = pane.querySelector("img");
let looking = null;
let misses = 0;

async function look(id, title) {
  if (looking) await leave();
  looking = id;
  pane.hidden = false;
  pane.querySelector("h2").textContent = title;
  pane.scrollIntoView({ block: "nearest" });
  clear();
  while (looking === id) {
    const state = await progress(id);
    misses = state ? 0 : misses + 1;
    if (misses > 20 || (state && !state.look)) looking = null;
    if (looking !== id) return;
    if (state) {
      fill(pane, { ...state, ...state.look, waits: state.look.waits && !state.over, came: state.look.came });
      if (state.look.newest !== null) await show(id, state.look.newest);
      if (state.look.waits || state.over) clear();
      if (state.over) {
        looking = null;
        ask();
        return;
      }
    }
    await new Promise((done) => setTimeout(done, 300));
  }
}

async function progress(id) {
  try {
    const answer = await fetch(`/live/orders/${id}`, { cache: "no-store", headers: { accept: "application/json" } });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

async function show(id, number) {
  const answer = await fetch(`/live/orders/${id}/pictures/${number}`, { cache: "no-store" }).catch(() => null);
  if (!answer || answer.status !== 200 || looking !== id) return;  // 204: a newer one took its place
  const before = image.src;
  image.src = URL.createObjectURL(await answer.blob());
  image.hidden = false;
  pane.querySelector(".none").hidden = true;
  if (before) URL.revokeObjectURL(before);
}

// What is shown is what is now, or nothing.
function clear() {
  if (image.src) URL.revokeObjectURL(image.src);
  image.removeAttribute("src");
  image.hidden = true;
  pane.querySelector(".none").hidden = false;
}

async function leave() {
  const id = looking;
  looking = null;
  clear();
  if (id) {
    await fetch(`/live/orders/${id}/end`, { method: "POST", headers: { "x-csrf": csrf }, keepalive: true }).catch(() => null);
  }
}

pane.querySelector("[data-stop]").addEventListener("click", async () => {
  pane.hidden = true;
  await leave();
  ask();
});
addEventListener("pagehide", leave);
