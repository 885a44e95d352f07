// The wall: tiles as they come, and a word where none come. Texts are the server's; here they are only put in place.
import { badges } from "./badges.js";
import { follow } from "./follow.js";
import { keep } from "./left.js";
import { fill as renew } from "./live.js";
import { sounds } from "./sound.js";

const wall = document.getElementById("wall");
const tiles = document.getElementById("tiles");
const alerts = document.getElementById("alerts");
const pulse = document.getElementById("pulse");
const openCount = document.getElementById("open");
const trouble = document.getElementById("trouble");
const model = document.getElementById("tile");
const needing = document.getElementById("needing");
const dialog = document.getElementById("take");
const sound = sounds(document.getElementById("sound"), JSON.parse(needing?.dataset.keys ?? "[]"));
const SHOWN = Number(wall.dataset.shown);
const ALERTS = 12;
const PATIENCE_MS = 10000; // a pulled cable gives no answer at all, for minutes
const BEAT_MS = 12000; // three beats: then the wall says that it hears nothing
const FRESH_MS = 60000; // what happened before that does not look new, whenever it comes

let stands = wall.dataset.head; // how far the feed was heard
const everOpen = new Set([...alerts.querySelectorAll("[data-key]")].map((each) => each.dataset.key));
keep(sound, () => ({ place: stands, known: everOpen }));

let heardAt = performance.now();
let stationAheadMs = 0; // of this machine's clock
let day = null;
let heardClock = document.getElementById("clock").textContent;
let unseen = 0;
let isCrowded = false; // other screens of the account have taken its place, or the session is over: it says so
const title = document.title;

function fill(element, selector, text) {
  const part = element.querySelector(selector);
  part.textContent = text;
  return part;
}

function made(card) {
  const tile = model.content.firstElementChild.cloneNode(true);
  tile.dataset.key = card.key;
  tile.dataset.at = card.at_ms;
  tile.toggleAttribute("data-alert", card.is_alert);
  tile.classList.toggle("is-alert", card.is_open);
  tile.classList.toggle("is-late", card.is_late);
  tile.querySelector("a").href = card.href;
  fill(tile, ".what", card.what);
  fill(tile, ".who", card.who);
  fill(tile, ".where", card.where);
  fill(tile, ".when .time", card.moment);
  fill(tile, ".late", card.late).hidden = !card.late;
  fill(tile, ".reviewed", card.reviewed);
  tile.querySelector(".take").hidden = !card.is_untaken;
  if (card.picture) {
    const image = new Image();
    image.alt = "";
    image.src = card.picture;
    tile.querySelector(".frame").replaceChildren(image);
  }
  return tile;
}

function placeOpen(card) {
  everOpen.delete(card.key); // the last ones are kept
  everOpen.add(card.key);
  place(alerts, made(card), ALERTS);
}

// Where it belongs by when it happened: what comes late does not push aside what is new.
function place(list, tile, most) {
  const known = list.querySelector(`[data-key="${CSS.escape(tile.dataset.key)}"]`);
  const focused = known && known.contains(document.activeElement) ? document.activeElement.className : null;
  if (known) known.remove();
  const before = [...list.children].find((each) => Number(each.dataset.at) <= Number(tile.dataset.at));
  list.insertBefore(tile, before || null);
  if (focused !== null) (tile.querySelector("a") || tile).focus({ preventScroll: true });
  while (list.children.length > most) list.lastElementChild.remove();
  return !known;
}

function show(card, at) {
  stands = at;
  const tile = made(card);
  const isNew = !document.querySelector(`[data-key="${CSS.escape(card.key)}"]`);
  if (isNew && isFresh(card)) tile.classList.add("is-fresh");
  if (wall.dataset.only !== "alerts" || card.is_alert) place(tiles, tile, SHOWN);
  asked?.add(card.key);
  if (card.is_open) placeOpen(card);
  else drop(card.key);
  document.getElementById("empty").hidden = tiles.children.length > 0;
  if (isNew && card.is_open && !card.is_late) announce();
  quietIfNone();
}

function isFresh(card) {
  return !card.is_late && Date.now() + stationAheadMs - card.at_ms < FRESH_MS;
}

function announce() {
  sound.alert();
  if (document.hidden) document.title = `(${++unseen}) ${title}`;
}

function drop(key) {
  const known = alerts.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!known) return;
  known.remove();
  if (alerts.children.length < Math.min(ALERTS, Number(openCount.textContent) - 1)) complete();
}

function quietIfNone() {
  document.getElementById("no-alerts").hidden = alerts.children.length > 0;
}

function review(change, at) {
  stands = at;
  for (const tile of document.querySelectorAll(`[data-key="${CSS.escape(change.key)}"]`)) {
    fill(tile, ".reviewed", change.reviewed);
    tile.classList.toggle("is-alert", change.is_open && tile.hasAttribute("data-alert"));
    tile.querySelector(".take").hidden = !change.is_untaken || !tile.hasAttribute("data-alert");
  }
  asked?.add(change.key);
  if (!change.is_open) drop(change.key);
  else if (!alerts.querySelector(`[data-key="${CSS.escape(change.key)}"]`)) complete(); // it is open again
  quietIfNone();
}

// Of the open alerts the newest are shown: where some of them are settled, others follow.
let asked = null; // what was told since it was asked for: newer than the answer
let isAskedAgain = false;
async function complete() {
  isAskedAgain = asked !== null;
  if (isAskedAgain) return;
  asked = new Set();
  const answer = await fetch("/open-alerts", { cache: "no-store", headers: { accept: "application/json" } }).catch(() => null);
  const cards = answer && answer.ok ? (await answer.json().catch(() => ({ alerts: [] }))).alerts : [];
  for (const card of cards.filter((each) => !asked.has(each.key))) {
    if (!everOpen.has(card.key) && isFresh(card)) announce(); // the answer has it before the feed
    placeOpen(card);
  }
  asked = null;
  quietIfNone();
  if (isAskedAgain) complete();
}

function heard(boxes) {
  const newest = (some) => some.reduce((last, box) => (box.heard_ms > (last?.heard_ms ?? 0) ? box : last), null)?.heard;
  const speaking = boxes.filter((box) => box.speaks);
  const word = speaking.length ? "wordFresh" : boxes.length ? "wordAway" : "wordNobox";
  pulse.className = word === "wordAway" ? "pulse good notice" : "pulse good";
  pulse.textContent = wall.dataset[word].replace("{at}", newest(speaking.length ? speaking : boxes));
}

function beat(said) {
  isCrowded = false;
  heardAt = performance.now();
  heardClock = said.clock;
  stationAheadMs = said.now_ms - Date.now();
  if (day !== null && day !== said.day) return location.reload(); // moments are told by the day
  day = said.day;
  document.getElementById("clock").textContent = said.clock;
  const hinders = said.trouble || said.away || "";
  trouble.hidden = !hinders;
  trouble.textContent = hinders;
  if (said.boxes === undefined) return;
  if (!needing) return location.reload(); // the page was made while the store could not be read
  openCount.textContent = said.open;
  openCount.classList.toggle("alert", said.open > 0);
  renew(needing, said.wrong);
  sound.help(said.wrong.all);
  badges({ open: said.open, needing: Number(said.wrong.number) });
  if (alerts.children.length < Math.min(ALERTS, said.open)) complete();
  heard(said.boxes);
  const list = document.getElementById("boxes");
  list.replaceChildren(...said.boxes.map((box) => {
    const item = document.createElement("li");
    item.className = box.verdict;
    const link = document.createElement("a");
    link.href = box.href;
    link.textContent = box.title;
    const state = document.createElement("span");
    state.className = "state";
    state.textContent = box.state;
    state.title = box.verdict_words;
    const heard = document.createElement("span");
    heard.className = "time";
    heard.textContent = box.heard;
    item.append(link, " ", state, " ", heard);
    return item;
  }));
}

// ------------------------------------------------------------------ following
function say(text) {
  pulse.className = "pulse problem";
  pulse.textContent = text;
}

setInterval(() => {
  if (!isCrowded && performance.now() - heardAt > BEAT_MS) say(wall.dataset.wordSilent.replace("{at}", heardClock));
}, 1000);

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unseen = 0;
  document.title = title;
});

// ------------------------------------------------------------------ acknowledging
let taken = null;
wall.addEventListener("click", (event) => {
  const button = event.target.closest(".take");
  if (!button) return;
  taken = button.closest(".tile");
  fill(dialog, ".what", `${taken.querySelector(".what").textContent} · ${taken.querySelector(".where").textContent}`);
  dialog.querySelector(".problem").hidden = true;
  dialog.querySelector("textarea").value = "";
  dialog.showModal();
});

dialog.querySelector("form").addEventListener("submit", async (event) => {
  if (event.submitter.value !== "take") return;
  event.preventDefault();
  const href = taken.querySelector("a").getAttribute("href");
  const button = event.submitter;
  const problem = dialog.querySelector(".problem");
  const body = new URLSearchParams({ state: "seen", note: dialog.querySelector("textarea").value });
  const headers = { "x-csrf": wall.dataset.csrf, accept: "application/json" };
  const given = new AbortController();
  const timer = setTimeout(() => given.abort(), PATIENCE_MS);
  button.disabled = true;
  const answer = await fetch(`${href}/review`, { method: "POST", body, headers, signal: given.signal }).catch(() => null);
  const said = answer && !answer.ok ? await answer.json().catch(() => null) : null;
  clearTimeout(timer);
  button.disabled = false;
  if (answer && answer.ok) return dialog.close();
  const why = said ? [said.error, said.hint].filter(Boolean).join(" · ") : "";
  problem.textContent = why || (answer ? wall.dataset.wordFailed : wall.dataset.wordUnsent);
  problem.hidden = false;
});

function crowded() {
  isCrowded = true;
  say(wall.dataset.wordCrowded);
}

function again() {
  stands = null;
}

function over() {
  isCrowded = true; // it hears no more beats, and says why
  say(wall.dataset.wordOver);
  const problem = dialog.querySelector(".problem");
  problem.textContent = wall.dataset.wordOver;
  problem.hidden = false;
  dialog.addEventListener("close", () => location.assign("/login"));
}

follow(stands, { tile: show, review, beat, crowded, again, over });
