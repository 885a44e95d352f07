// The sound of the wall and of the queue of alerts, off until somebody switches it on in this tab: two rising tones for a
// new alert, one lower and shorter for what newly needs help. It stays on over a reload (the wall makes one each
// midnight) and the way to another page and back; a browser that wants a press first is said to.
const ALERT = [[0, 660, 0.16], [0.18, 880, 0.16]]; // when, in seconds; pitch, in hertz; how long, in seconds
const HELP = [[0, 392, 0.12]];
const REST_S = 0.3;
const AGAIN_MS = 600000; // a box that comes and goes sounds once in ten minutes
const CHOSEN = "sound of the wall";
const KEPT = "needed help";
export const KEPT_MS = 30000; // a page that follows later than that on another begins anew
const START_MS = 2000; // so long a browser may take to begin, and what calls meanwhile is heard then

// `button` switches it; its [data-on], [data-off] and [data-held] say how it stands. `known`: keys of what needs help
// already; null: what the page before in this tab knew, else what is told first.
export function sounds(button, known) {
  let audio = null;
  let freeAt = 0; // one after the other, also where both are due at once
  let isShown = false; // what it sounds like, once after it was switched on
  let calledAt = -Infinity; // when an alert called that nobody could hear yet
  const isHeard = () => audio?.state === "running";

  function say() {
    button.setAttribute("aria-pressed", String(isHeard()));
    button.querySelector("[data-on]").hidden = !isHeard();
    button.querySelector("[data-off]").hidden = audio !== null;
    button.querySelector("[data-held]").hidden = audio === null || isHeard();
    if (!isHeard()) return;
    if (Date.now() - calledAt < START_MS) play(ALERT);
    calledAt = -Infinity;
    if (isShown) return;
    isShown = true;
    play(ALERT);
    play(HELP);
  }

  function begin() {
    audio = new AudioContext();
    freeAt = 0;
    audio.addEventListener("statechange", say);
    say();
  }

  function end() {
    audio.removeEventListener("statechange", say);
    audio.close();
    audio = null;
    say();
  }

  // Any press lets a browser sound that held it back; one on the button then does no more than that.
  function release(event) {
    if (audio === null || isHeard()) return;
    if (button.contains(event.target)) event.stopPropagation();
    audio.resume();
  }
  addEventListener("click", release, { capture: true });
  addEventListener("keyup", release, { capture: true });

  button.addEventListener("click", () => {
    isShown = false;
    if (audio) end();
    else begin();
    if (audio) sessionStorage.setItem(CHOSEN, "on");
    else sessionStorage.removeItem(CHOSEN);
  });
  if (sessionStorage.getItem(CHOSEN)) {
    isShown = true;
    begin();
  }

  // Returns in how many milliseconds it is over; 0: nobody hears it.
  function play(tones) {
    if (!isHeard()) return 0;
    const begin = Math.max(audio.currentTime, freeAt);
    for (const [after, pitch, lasts] of tones) {
      const at = begin + after;
      const tone = audio.createOscillator();
      const loudness = audio.createGain();
      tone.frequency.value = pitch;
      loudness.gain.setValueAtTime(0.25, at);
      loudness.gain.exponentialRampToValueAtTime(0.001, at + lasts);
      tone.connect(loudness).connect(audio.destination);
      tone.start(at);
      tone.stop(at + lasts + 0.01);
      freeAt = at + lasts + REST_S;
    }
    return 1000 * (freeAt - audio.currentTime);
  }

  const calls = callsOf(known);
  return {
    isHeard,
    alert() {
      if (audio === null || isHeard()) return play(ALERT);
      calledAt = Date.now();
      return START_MS;
    },
    help(things) {
      if (calls(things, isHeard())) play(HELP);
    },
  };
}

// Tells of each list of things, `{key, device}`, whether it calls for somebody: something is in it that was not before.
// What comes within AGAIN_MS of a call for the same box waits until that is over, and calls then if it still stands.
// While nobody listens nothing calls, and what was there is known.
function callsOf(keys) {
  const before = kept();
  let known = keys ?? before.known ?? null;
  if (known) known = new Set(known);
  const calledAt = new Map(before.calledAt ?? []);
  return (things, isHeard) => {
    const here = new Set(things.map((each) => each.key));
    known = isHeard && known ? new Set([...known].filter((key) => here.has(key))) : here;
    const now = Date.now();
    const rests = (device) => Math.abs(now - (calledAt.get(device) ?? -Infinity)) < AGAIN_MS;
    const calling = new Set(things.filter((each) => !known.has(each.key)).map((each) => each.device).filter((device) => !rests(device)));
    for (const device of calling) calledAt.set(device, now);
    for (const each of things) if (calling.has(each.device)) known.add(each.key);
    sessionStorage.setItem(KEPT, JSON.stringify({ at: now, known: [...known], calledAt: [...calledAt] }));
    return calling.size > 0;
  };
}

// In the queue each verdict is a page of its own: what stood there before must not call again, and what came between
// two pages must.
function kept() {
  const said = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  return { known: Math.abs(Date.now() - said.at) < KEPT_MS ? said.known : null, calledAt: said.calledAt };
}
