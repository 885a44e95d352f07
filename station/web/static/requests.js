// How far requests are, looked at again every few seconds; where one has come a step further the page is loaded anew.
const place = document.querySelector("[data-progress]");
const EVERY_MS = 3000;

async function look() {
  if (document.hidden) return;
  const answer = await fetch(place.dataset.progress, { headers: { accept: "application/json" } });
  if (!answer.ok) return;
  const found = await answer.json();
  const rows = new Map((Array.isArray(found) ? found : [found]).map((each) => [each.key, each]));
  const shown = place.hasAttribute("data-key") ? [place] : place.querySelectorAll("[data-key]");
  for (const row of shown) {
    const now = rows.get(row.dataset.key);
    if (now ? now.stage !== row.dataset.stage : ["asked", "requested", "sending", "arrived"].includes(row.dataset.stage)) {
      location.reload();
      return;
    }
    if (!now) continue;
    row.querySelector("[data-words]").textContent = now.words;
    const bar = row.querySelector("progress");
    if (bar && now.percent !== null) {
      bar.value = now.percent;
      row.querySelector("[data-arrived]").textContent = now.arrived;
    }
  }
}

if (place) setInterval(() => look().catch(() => {}), EVERY_MS);
