// What every page must say at once: that nothing new is kept at present. The wall hears it with its beat.
const notice = document.getElementById("notice");
const EVERY_MS = 5000;
const IDLE_MS = 900000; // a page that nobody touches asks no more, so that the session can end by itself
let touchedAt = performance.now();

for (const kind of ["pointermove", "keydown", "touchstart", "wheel"]) {
  addEventListener(kind, () => (touchedAt = performance.now()), { passive: true });
}

async function ask() {
  if (document.hidden || performance.now() - touchedAt > IDLE_MS) return;
  const answer = await fetch("/standing", { headers: { accept: "application/json" } }).catch(() => null);
  if (!answer || !answer.ok) return;
  const { unkept } = await answer.json();
  notice.textContent = unkept;
  notice.hidden = !unkept;
}

setInterval(ask, EVERY_MS);
document.addEventListener("visibilitychange", ask);
