// The queue of alerts: a word and a sound when something changes meanwhile. All of it works without.
import { follow } from "./follow.js";
import { before, keep } from "./left.js";
import { fill } from "./live.js";
import { sounds } from "./sound.js";

const page = document.getElementById("review");
const key = page.dataset.key;
const news = document.getElementById("news");
const meanwhile = document.getElementById("meanwhile");
const arrived = new Set();
const listed = JSON.parse(page.dataset.known); // open when the page was made: of them only pictures come
const sound = sounds(document.getElementById("sound"), null);

// Each verdict is a page of its own. What came between two of them, or on the way from the wall, is heard on the
// second: it follows from where the first stood, and knows what that one knew, until it has all that was there when it
// was made. Where nobody listened on the first, or left it long ago, it begins anew.
const left = before();
const known = new Set(left?.known ?? listed);
let place = left?.place ?? page.dataset.head;
keep(sound, () => ({ place, known }));

// Whether the page was made with it. A place is the number of an event and that of a step of a review.
function isShown(part, at) {
  return Number(at.split("-")[part]) <= Number(page.dataset.head.split("-")[part]);
}

// How many are open is asked for once what changed them is over: a shift that settles ten of them asks once.
const SETTLED_MS = 300;
const suffix = document.title.slice(document.title.lastIndexOf(" · "));
let open = Number(page.dataset.open);
let soon = null;

function count() {
  clearTimeout(soon);
  soon = setTimeout(async () => {
    const headers = { accept: "application/json" };
    const answer = await fetch(page.dataset.counts, { cache: "no-store", headers }).catch(() => null);
    const values = answer && answer.ok ? await answer.json().catch(() => null) : null;
    if (!values) return; // the next beat asks again
    document.title = values.title + suffix;
    for (const id of ["counted", "counts"]) if (document.getElementById(id)) fill(document.getElementById(id), values);
  }, SETTLED_MS);
}

function beat(said) {
  for (const each of listed) known.add(each);
  if (said.wrong) sound.help(said.wrong.all);
  if (said.open === undefined || said.open === open) return;
  open = said.open;
  count();
}

// Of whatever camera: also where the page shows those of one rule. In how many milliseconds the sound is over.
function call(card) {
  if (!card.is_open || card.is_late || known.has(card.key) || card.at_ms <= Number(page.dataset.since)) return 0;
  known.add(card.key);
  return sound.alert();
}

function tile(card, at) {
  place = at;
  const soundsFor = call(card);
  if (isShown(0, at)) return;
  count();
  if (!card.is_open || card.at_ms <= Number(page.dataset.newest) || card.key === key) return;
  if (document.querySelector(`[data-key="${CSS.escape(card.key)}"]`)) return;
  if (!key) return void setTimeout(() => location.reload(), soundsFor);
  arrived.add(card.key);
  news.hidden = false;
  news.firstElementChild.textContent = page.dataset.wordNew.replace("{n}", arrived.size);
}

function review(change, at) {
  place = at;
  if (isShown(1, at)) return;
  count();
  if (!change.is_open) document.querySelector(`.queue [data-key="${CSS.escape(change.key)}"]`)?.remove();
  if (change.key !== key || !change.reviewed || change.by === page.dataset.me) return;
  meanwhile.hidden = false;
  meanwhile.textContent = change.is_open ? change.reviewed : page.dataset.wordDone.replace("{what}", change.reviewed);
}

function crowded() {
  news.hidden = false;
  news.firstElementChild.textContent = page.dataset.wordCrowded;
}

function again() {
  place = null;
}

// A verdict would lead to the page to log in, and take the note with it.
function over() {
  meanwhile.hidden = false;
  meanwhile.textContent = page.dataset.wordOver;
  for (const each of document.querySelectorAll("#judging button")) each.disabled = true;
}

follow(place, { tile, review, beat, crowded, again, over });
