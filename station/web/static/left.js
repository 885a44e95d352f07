// What the page before in this tab had heard, for the queue to go on from: what comes on the way to it is heard there.
import { KEPT_MS } from "./sound.js";

const LEFT = "alerts heard";
const MOST_KNOWN = 500;

// {place, known}: where in the feed it stood, and the keys of alerts that are not new; null: nobody listened on it, or
// it was left long ago.
export function before() {
  const said = JSON.parse(sessionStorage.getItem(LEFT) ?? "null");
  return said && Math.abs(Date.now() - said.at) < KEPT_MS ? said : null;
}

// `stand` says the same of this page as it is left; its place is null where the feed goes on from no such one.
export function keep(sound, stand) {
  addEventListener("pagehide", () => {
    const { place, known } = stand();
    if (!sound.isHeard() || place === null) return sessionStorage.removeItem(LEFT);
    sessionStorage.setItem(LEFT, JSON.stringify({ at: Date.now(), place, known: [...known].slice(-MOST_KNOWN) }));
  });
}
