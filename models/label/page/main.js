// The page: which picture is open, what is done with it, and which key does what.
import { Grid, isLeft } from "./grid.js";
import { Saver } from "./saver.js";
import { EMPTY, History, accepted, changed, inside, itemAt, moved, ordered, sheetOf, withBox, without } from "./sheet.js";
import { Stage, colourOf } from "./stage.js";
import { $, element, labelWord, speak, spoken, word } from "./words.js";

const ASK_MS = 2500; // between two questions about what others did
const HINT_MS = 5000;
const REMEMBERED = 50; // pictures whose changes can still be taken back
const NUDGES_MS = 1000; // between two steps of one movement
const KEYS = [
  ["1 … 9", "key_label"], ["Enter", "key_enter"], ["E", "nothing"], ["U", "unsure"], ["← →", "key_move"], ["N  P", "key_next"],
  ["J", "next_open"], [".  ,", "key_choose"], ["← ↑ → ↓", "key_arrows"], ["Ctrl ← ↑ → ↓", "key_size"], ["B", "new_box"],
  ["Del", "delete"], ["I", "ignored"], ["A", "accept_all"], ["R", "reject_all"], ["Z  Y", "undo_redo"], ["+  −  F", "key_zoom"],
  ["␣", "key_pan"], ["Shift", "key_shift"], ["G", "overview"],
];
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const page = { classes: [], pictures: new Map(), revision: 0, open: null, history: new History(EMPTY), chosen: null, label: "", mine: null, turn: 0, arriving: null, before: new Map(), nudged: -1e9 };
const saver = new Saver({ state: saving, conflict, refused });
const stage = new Stage($("stage"), $("photo"), $("over"), {
  choose: (where) => choose(where),
  draw: (box) => put(withBox(page.history.now, { label: page.label, ...box, ignored: false }), (sheet) => ({ kind: "boxes", index: sheet.boxes.length - 1 })),
  change: (where, box) => edit(where, box),
  slip: () => hint("too_small"),
});
const grid = new Grid(page.pictures, (id) => queued(() => { showGrid(false); go(id); }));

// ---------------------------------------------------------------------------------- the set

async function begin() {
  await speak(new URLSearchParams(location.search).get("lang") ?? localStorage.getItem("language") ?? "");
  const all = await (await fetch("set")).json();
  page.classes = all.classes;
  page.label = all.classes[0];
  page.revision = all.revision;
  for (const each of all.pictures) page.pictures.set(each.id, each);
  $("set").textContent = all.name;
  $("written").dataset.path = all.written;
  words();
  const wanted = Number(location.hash.slice(1));
  const first = [...page.pictures.values()].find(isLeft) ?? page.pictures.values().next().value;
  await go(page.pictures.has(wanted) ? wanted : first.id);
  setInterval(ask, ASK_MS);
  ask();
}

async function ask() {
  let news;
  try {
    news = await (await fetch(`changes?since=${page.revision}&lang=${spoken.language}`)).json();
  } catch {
    return; // the next change says that nothing is saved
  }
  page.revision = news.revision;
  for (const each of news.pictures) page.pictures.set(each.id, each);
  $("looking").hidden = !news.looking;
  $("looking").textContent = `${word("looking")} (${news.model})`;
  alarm("ask", news.trouble);
  if (news.pictures.some((each) => each.id === page.open?.id)) await again();
  if (news.pictures.length) progress();
}

// What another tab or the detector has made of this picture, unless something of ours is on its way.
async function again() {
  const { turn, open } = page;
  const theirs = await (await fetch(`pictures/${open.id}`)).json();
  if (turn !== page.turn || saver.pending || page.mine || stage.hand) return;
  const news = theirs.version !== saver.version || (page.history.untouched && theirs.proposals.length !== page.history.now.proposals.length);
  if (news) take(theirs);
}

function go(id) {
  page.arriving = arrive(id).catch(() => alarm("go", word("gone"))).finally(() => { page.arriving = null; });
  return page.arriving;
}

// What is pressed before a picture is there is meant for that picture, not for the one before.
function queued(act) {
  if (page.arriving) page.arriving.then(() => queued(act));
  else act();
}

async function arrive(id) {
  page.turn += 1;
  await saver.settled();
  if (page.open) remember();
  const picture = await (await fetch(`pictures/${id}`)).json();
  alarm("go", "");
  page.open = picture;
  page.mine = null;
  history.replaceState(null, "", `#${id}`);
  $("conflict").hidden = true;
  $("fault").hidden = !picture.fault;
  $("fault").textContent = picture.fault ? `${word("fault")} ${picture.fault}` : "";
  $("photo").hidden = Boolean(picture.fault);
  if (!picture.fault) stage.open(picture);
  take(picture);
}

// So that what was done too fast can be taken back after the next picture has come.
function remember() {
  page.before.delete(page.open.id);
  page.before.set(page.open.id, { history: page.history, version: saver.version });
  if (page.before.size > REMEMBERED) page.before.delete(page.before.keys().next().value);
}

function take(picture) {
  saver.open(picture.id, picture.version);
  const known = page.before.get(picture.id);
  page.history = known?.version === picture.version && !known.history.untouched ? known.history : new History(sheetOf(picture));
  page.chosen = null;
  render();
}

function step(by) {
  const ids = [...page.pictures.keys()];
  const at = ids.indexOf(page.open.id) + by;
  if (at >= 0 && at < ids.length) go(ids[at]);
}

function nextOpen() {
  const all = [...page.pictures.values()];
  const at = all.findIndex((each) => each.id === page.open.id);
  const next = [...all.slice(at + 1), ...all.slice(0, at)].find(isLeft);
  if (next) go(next.id);
  else hint("all_done");
}

// ---------------------------------------------------------------------------------- changes

const usable = () => page.open && !page.open.fault && !page.mine && !page.arriving;

function put(sheet, chosen = () => null, amends = false) {
  if (!usable()) return;
  if (amends) page.history.amend(sheet);
  else page.history.put(sheet);
  page.nudged = -1e9;
  page.chosen = chosen(sheet);
  save();
}

function save() {
  const sheet = page.history.now;
  saver.put(sheet);
  const known = page.pictures.get(page.open.id);
  page.pictures.set(page.open.id, { ...known, state: sheet.state, boxes: sheet.boxes.length, proposals: sheet.proposals.length });
  $("hint").hidden = true;
  render();
}

function edit(where, change, amends = false) {
  if (!usable()) return;
  const [sheet, there] = changed(page.history.now, where, change);
  put(sheet, () => there, amends);
}

function choose(where) {
  page.chosen = where;
  const box = itemAt(page.history.now, where);
  if (box) page.label = box.label;
  render();
}

function chooseNext(by) {
  const all = ordered(page.history.now);
  if (!all.length) return;
  const at = page.chosen ? all.findIndex(({ kind, index }) => kind === page.chosen.kind && index === page.chosen.index) : by > 0 ? -1 : all.length;
  const { kind, index, box } = all[(at + by + all.length) % all.length];
  choose({ kind, index });
  stage.reveal(box);
}

function setLabel(label) {
  page.label = label;
  if (page.chosen) edit(page.chosen, { label });
  else render();
}

function toggleIgnored() {
  const box = itemAt(page.history.now, page.chosen);
  if (box) edit(page.chosen, { ignored: !box.ignored });
  else hint("no_box");
}

function remove() {
  if (page.chosen) put(without(page.history.now, page.chosen));
  else hint("no_box");
}

function acceptAll() {
  if (page.history.now.proposals.length) put(accepted(page.history.now));
}

function rejectAll() {
  if (page.history.now.proposals.length) put({ ...page.history.now, proposals: [] });
}

function acceptNext() {
  if (!usable()) return step(1);
  const sheet = accepted(page.history.now);
  const said = sheet.state === "done" && sheet.boxes.length === 0;
  if (sheet.boxes.length === 0 && !said) return hint("empty_ask");
  if (sheet.state !== "done" || page.history.now.proposals.length) put({ ...sheet, state: "done" });
  return step(1);
}

function nothing() {
  if (!usable()) return;
  if (page.history.now.boxes.length || page.history.now.proposals.length) return hint("nothing_sure");
  put({ state: "done", boxes: [], proposals: [] });
  step(1);
}

function toggleUnsure() {
  put({ ...page.history.now, state: page.history.now.state === "unsure" ? "open" : "unsure" }, () => page.chosen);
}

function travel(way) {
  if (!usable() || !page.history[way === "undo" ? "canUndo" : "canRedo"]) return;
  page.history[way]();
  page.chosen = null;
  save();
}

function newBox() {
  if (usable()) put(withBox(page.history.now, { label: page.label, ...stage.middle(), ignored: false }), (sheet) => ({ kind: "boxes", index: sheet.boxes.length - 1 }));
}

function nudge([across, down], sizes, far) {
  const { width, height } = stage.size;
  const box = itemAt(page.history.now, page.chosen);
  const by = (far ? 10 : 1) * Math.max(1, 1 / stage.view.scale);
  const next = sizes
    ? inside({ ...box, right: Math.max(box.left + 3, box.right + across * by), bottom: Math.max(box.top + 3, box.bottom + down * by) }, width, height)
    : moved(box, across * by, down * by, width, height);
  edit(page.chosen, next, performance.now() - page.nudged < NUDGES_MS && page.history.canUndo);
  page.nudged = performance.now();
  stage.reveal(next);
}

// ---------------------------------------------------------------------------------- saving

function saving(state, words = "") {
  document.body.dataset.saving = state;
  $("status").textContent = state === "not_saved" ? "" : word(state);
  alarm("save", state === "not_saved" ? words || word("not_saved") : "");
}

function conflict(theirs, mine) {
  take(theirs);
  page.mine = mine;
  $("conflict").hidden = false;
  $("keep").focus();
}

function settle(mine) {
  const kept = page.mine;
  page.mine = null;
  $("conflict").hidden = true;
  if (mine && kept) put(kept);
  $("stage").focus();
}

async function refused() {
  saving("saved");
  alarm("refused", word("refused"));
  take(await (await fetch(`pictures/${page.open.id}`)).json());
}

addEventListener("beforeunload", (event) => { if (saver.pending) event.preventDefault(); });

// ---------------------------------------------------------------------------------- what is said

const alarms = new Map();

function alarm(from, words) {
  if (words) alarms.set(from, words);
  else alarms.delete(from);
  const text = [...alarms.values()].join(" ");
  if ($("trouble").textContent !== text) $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

let hinting = 0;
function hint(name) {
  $("hint").textContent = word(name);
  $("hint").hidden = false;
  clearTimeout(hinting);
  hinting = setTimeout(() => { $("hint").hidden = true; }, HINT_MS);
}

function render() {
  const sheet = page.history.now;
  stage.show(page.open?.fault ? null : sheet, page.chosen, page.classes);
  const box = itemAt(sheet, page.chosen);
  const at = box ? ordered(sheet).findIndex(({ kind, index }) => kind === page.chosen.kind && index === page.chosen.index) + 1 : 0;
  const kind = page.chosen?.kind === "proposals" ? ` (${word("proposal")} ${Math.round(box.score * 100)} %)` : "";
  const count = sheet.boxes.length + sheet.proposals.length;
  const chosen = box ? `${labelWord(box.label)}${kind}, ${at}/${count}` : word("no_box");
  if ($("chosen").textContent !== chosen) $("chosen").textContent = chosen;
  for (const each of $("labels").children) each.setAttribute("aria-pressed", String(each.dataset.label === page.label));
  $("delete").disabled = $("ignored").disabled = !box;
  $("ignored").setAttribute("aria-pressed", String(Boolean(box?.ignored)));
  $("unsure").setAttribute("aria-pressed", String(sheet.state === "unsure"));
  $("undo").disabled = !page.history.canUndo;
  $("redo").disabled = !page.history.canRedo;
  $("proposing").hidden = !sheet.proposals.length;
  progress();
}

function progress() {
  const all = [...page.pictures.values()];
  const left = all.filter(isLeft).length;
  const of = all.filter((each) => each.camera === page.open?.camera);
  $("bar").max = all.length;
  $("bar").value = all.length - left;
  const unsure = all.filter((each) => each.state === "unsure").length;
  const counts = [[all.length - left - unsure, "done"], [unsure, "state_unsure"], [left, "left"]].filter(([count, name]) => count || name !== "state_unsure");
  const lines = [counts.map(([count, name]) => `${count} ${word(name)}`).join(", ")];
  if (page.open?.camera) lines.push(`${of.filter((each) => !isLeft(each)).length}/${of.length} · ${page.open.camera}`);
  $("counted").replaceChildren(...lines.map((line) => element("span", {}, line)));
  if (!page.open) return;
  const at = [...page.pictures.keys()].indexOf(page.open.id) + 1;
  const state = page.history.now.state === "done" ? (page.history.now.boxes.length ? "done" : "empty") : page.history.now.state === "unsure" ? "unsure" : page.history.now.boxes.length ? "begun" : "open";
  $("name").textContent = `${at}/${all.length} · ${page.open.name} · ${word(`state_${page.open.fault ? "fault" : state}`)}`;
  $("stage").dataset.picture = page.open.id;
}

// Everything that is made of words.
function words() {
  document.title = `${word("title")} · ngatu`;
  $("written").textContent = $("written").dataset.path ? `${word("written")} ${$("written").dataset.path}` : "";
  $("labels").replaceChildren(...page.classes.map((label, number) => {
    const swatch = element("span", { class: "swatch" });
    swatch.style.background = colourOf(page.classes, label);
    const button = element("button", { type: "button", "data-label": label }, swatch, element("span", {}, labelWord(label)));
    if (number < 9) button.append(element("kbd", {}, String(number + 1)));
    button.addEventListener("click", () => setLabel(label));
    return button;
  }));
  const names = { en: "EN", vi: "VI" };
  $("languages").replaceChildren(...spoken.languages.map((code) => {
    const button = element("button", { type: "button", "aria-pressed": code === spoken.language, lang: code }, names[code] ?? code);
    button.addEventListener("click", async () => {
      localStorage.setItem("language", code);
      await speak(code);
      words();
      render();
      ask();
      if (!$("grid").hidden) grid.render();
    });
    return button;
  }));
  $("keys").replaceChildren(...KEYS.map(([keys, name]) => element("div", {},
    element("dt", {}, ...keys.split("  ").flatMap((key, number) => (number ? [" ", element("kbd", {}, key)] : [element("kbd", {}, key)]))),
    element("dd", {}, name === "undo_redo" ? `${word("undo")}, ${word("redo")}` : word(name)))));
  if (document.body.dataset.saving === "saved") $("status").textContent = word("saved");
}

function showGrid(shown) {
  $("grid").hidden = !shown;
  $("work").hidden = shown;
  if (shown) {
    grid.here = page.open.id;
    grid.render();
    $("back").focus();
    document.querySelector(".is-here")?.scrollIntoView({ block: "center" });
  } else {
    stage.fit();
    $("stage").focus();
  }
}

// ---------------------------------------------------------------------------------- keys

const ACTS = {
  n: () => step(1), p: () => step(-1), j: nextOpen, e: nothing, u: toggleUnsure, b: newBox, i: toggleIgnored, a: acceptAll, r: rejectAll,
  z: () => travel("undo"), y: () => travel("redo"), f: () => stage.fit(), g: () => showGrid(true), h: () => $("help").showModal(),
  "?": () => $("help").showModal(), "+": () => stage.zoom(1.4), "=": () => stage.zoom(1.4), "-": () => stage.zoom(1 / 1.4),
  ".": () => chooseNext(1), ",": () => chooseNext(-1), Delete: remove, Backspace: remove, Enter: acceptNext, Escape: () => choose(null),
};

function arrow(key, sizes, far) {
  const way = STEPS[key];
  if (page.chosen && usable()) nudge(way, sizes, far);
  else if (far) stage.pan(-way[0] * 80, -way[1] * 80);
  else if (way[0]) step(way[0]);
}

// What a key does; nothing for those that are the browser's.
function actOf(event) {
  const { key } = event;
  const held = event.ctrlKey || event.metaKey;
  if (STEPS[key]) return () => arrow(key, held, event.shiftKey);
  if (held) {
    const way = { z: event.shiftKey ? "redo" : "undo", y: "redo", Z: "redo" }[key];
    return way && (() => travel(way));
  }
  if (key === " ") return () => hold(true);
  const label = /^[1-9]$/.test(key) ? page.classes[key - 1] : undefined;
  return label ? () => setLabel(label) : (ACTS[key] ?? ACTS[key.toLowerCase()]);
}

function hold(held) {
  stage.space = held;
  stage.render();
}

addEventListener("keydown", (event) => {
  const onButton = event.target.closest("button") && [" ", "Enter"].includes(event.key);
  if (!page.open || event.altKey || onButton || event.target.closest("select, dialog[open]")) return;
  if (!$("grid").hidden) {
    if (["Escape", "g", "G"].includes(event.key)) showGrid(false);
    return;
  }
  const act = actOf(event);
  if (!act) return;
  event.preventDefault();
  queued(act);
});
$("help").addEventListener("close", () => ($("grid").hidden ? $("stage") : $("back")).focus());
addEventListener("keyup", (event) => {
  if (event.key === " ") queued(() => hold(false));
});

const CLICKS = {
  "accept-next": acceptNext, nothing, unsure: toggleUnsure, previous: () => step(-1), next: () => step(1), "next-open": nextOpen,
  "new-box": newBox, delete: remove, undo: () => travel("undo"), redo: () => travel("redo"), ignored: toggleIgnored,
  "accept-all": acceptAll, "reject-all": rejectAll, smaller: () => stage.zoom(1 / 1.4), larger: () => stage.zoom(1.4), fit: () => stage.fit(),
  "open-grid": () => showGrid($("grid").hidden), "open-help": () => $("help").showModal(), "close-help": () => $("help").close(),
  back: () => showGrid(false), mine: () => settle(true), keep: () => settle(false),
};
for (const [id, act] of Object.entries(CLICKS)) $(id).addEventListener("click", () => queued(act));

begin();
