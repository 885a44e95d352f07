// Follows the feed for as long as the page is open, through every break, from where it stood.
const AGAIN_MS = 3000;
const CROWDED_MS = 20000; // it takes nobody's place: it waits until there is one

// `on` has functions by kind: tile, review, beat with what was said and the place that it leads to; again, before the
// page is read anew, for the feed goes on from no such place; over, before the page to log in comes, which waits where a
// note is written; crowded, when as many screens of the account as may were opened after this one.
export function follow(place, on) {
  const source = new EventSource(`/feed?after=${place}`);
  for (const kind of ["tile", "review", "beat"]) {
    source.addEventListener(kind, (message) => {
      place = message.lastEventId || place;
      if (on[kind]) on[kind](JSON.parse(message.data), place);
    });
  }
  source.addEventListener("again", () => {
    if (on.again) on.again();
    location.reload();
  });
  source.addEventListener("over", () => {
    source.close();
    leave(on);
  });
  source.addEventListener("crowded", () => {
    source.close();
    if (on.crowded) on.crowded();
    setTimeout(() => retry(place, on, CROWDED_MS), CROWDED_MS);
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(() => retry(place, on), AGAIN_MS);
  });
}

// Where somebody is writing the page stays, and says so: what is written would be gone with it. What stands in a dialog
// that is closed was sent, or left.
function leave(on) {
  if (on.over) on.over();
  const seen = [...document.querySelectorAll("textarea")].filter((each) => each.getClientRects().length);
  if (!seen.some((each) => each.value.trim())) location.assign("/login");
}

// The browser gives up where the answer was no stream: the station begins anew, or the session is over.
async function retry(place, on, pace = AGAIN_MS) {
  const answer = await fetch("/standing", { cache: "no-store", headers: { accept: "application/json" } }).catch(() => null);
  const said = answer && answer.ok ? await answer.json().catch(() => null) : null;
  if (said && (said.room || pace !== CROWDED_MS)) return follow(place, on);
  if (answer && answer.status === 401) return leave(on);
  setTimeout(() => retry(place, on, pace), pace); // it is away; what the page says of it is true
}
