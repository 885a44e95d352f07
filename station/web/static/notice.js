// What every page must say at once: that nothing new is kept at present, or that the station does not answer, so
// that what is pressed does not arrive. The wall hears it with its beat.
import { badges } from "./badges.js";

const notice = document.getElementById("notice");
const EVERY_MS = 5000;
const IDLE_MS = 900000; // a page that nobody touches asks no more, so that the session can end by itself
const AGAIN_MS = 2000;
const PATIENCE_MS = 4000; // a pulled cable gives no answer at all, for minutes
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
let touchedAt = performance.now();
let heardAt = new Date();
let missed = 0;

for (const kind of ["pointermove", "keydown", "touchstart", "wheel"]) {
  addEventListener(kind, () => (touchedAt = performance.now()), { passive: true });
}

async function ask() {
  if (document.hidden || performance.now() - touchedAt > IDLE_MS) return;
  const given = new AbortController();
  setTimeout(() => given.abort(), PATIENCE_MS);
  const headers = { accept: "application/json" };
  const answer = await fetch("/standing", { headers, signal: given.signal }).catch(() => null);
  if (!answer || answer.status >= 502) return away();
  missed = 0;
  heardAt = new Date();
  if (!answer.ok) return;
  const said = await answer.json();
  badges(said);
  const { unkept } = said;
  notice.textContent = unkept;
  notice.hidden = !unkept;
}

// One answer may be lost on the way; after two the page says so.
function away() {
  missed += 1;
  if (missed === 1) return void setTimeout(ask, AGAIN_MS);
  notice.textContent = notice.dataset.wordAway.replace("{at}", clock.format(heardAt));
  notice.hidden = false;
}

// The browser's own page of errors would take the place of what somebody has written. Before whoever else listens:
// for them nothing was sent.
function hold(event) {
  if (missed < 2 || event.target.closest("[data-live]")) return; // an order says by itself that it was not sent
  event.preventDefault();
  event.stopPropagation();
  notice.scrollIntoView({ block: "center" });
  ask();
}

addEventListener("submit", hold, { capture: true });
setInterval(ask, EVERY_MS);
document.addEventListener("visibilitychange", ask);
