// Follows the feed for as long as the page is open, through every break, from where it stood.
const AGAIN_MS = 3000;

// `on` has functions by kind: tile, review, beat with what was said; over, before the page to log in comes.
export function follow(place, on) {
  const source = new EventSource(`/feed?after=${place}`);
  for (const kind of ["tile", "review", "beat"]) {
    source.addEventListener(kind, (message) => {
      place = message.lastEventId || place;
      if (on[kind]) on[kind](JSON.parse(message.data));
    });
  }
  source.addEventListener("again", () => location.reload());
  source.addEventListener("over", () => {
    source.close();
    leave(on);
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(() => retry(place, on), AGAIN_MS);
  });
}

function leave(on) {
  if (on.over) on.over();
  location.assign("/login");
}

// The browser gives up where the answer was no stream: the station begins anew, or the session is over.
async function retry(place, on) {
  const answer = await fetch("/standing", { cache: "no-store", headers: { accept: "application/json" } }).catch(() => null);
  if (answer && answer.ok) return follow(place, on);
  if (answer && answer.status === 401) return leave(on);
  setTimeout(() => retry(place, on), AGAIN_MS); // it is away; what the page says of it is true
}
