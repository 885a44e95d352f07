// The preview's page. The server judges, keeps the drawing and knows every kind of rule; this draws and asks.
const SVG = "http://www.w3.org/2000/svg";
const PLACED = { zones: "zone", lines: "line", privacy_masks: "mask" };
const TOUCH_PX = 24; // half of the least thing that a thumb hits
const LOUPE = { side: 132, times: 3 };
const $ = (id) => document.getElementById(id);

const page = {
  lang: "", words: {}, kinds: [], file: null, drawn: null, mistakes: [], yaml: "",
  chosen: null, // { part, index } of what has handles
  pen: null, // { part, points } of what is being drawn
  grip: null, // { move } while a finger drags
  view: null, bitmap: null, shown: [], turn: 0, trial: 0,
  reading: 0, // counts how often the drawing came from the server
};

// ---------------------------------------------------------------------------------- asking

async function ask(name, body, query = {}) {
  const words = new URLSearchParams({ ...query, ...(page.lang ? { lang: page.lang } : {}) });
  const more = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  return fetch(`${name}?${words}`, more);
}

const asked = async (name, body, query) => (await ask(name, body, query)).json();
const word = (name) => page.words[name] ?? name;
const tenths = (number) => number.toLocaleString(page.lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

// A word of the wire; what nobody has named stays as it came.
const named = (group, name) => (name ? (page.words[`${group}_${name}`] ?? name) : "");

// What stands between backticks is typed somewhere.
const rich = (text) => text.split("`").map((part, number) => (number % 2 ? element("code", {}, part) : part));

async function speak(code) {
  page.lang = code;
  const told = await asked("words");
  page.words = told.words;
  page.lang = document.documentElement.lang = told.language;
  for (const each of document.querySelectorAll("[data-word]")) each.replaceChildren(...rich(word(each.dataset.word)));
  const names = { en: "EN", vi: "VI" };
  $("languages").replaceChildren(...told.languages.map((each) => {
    const button = element("button", { type: "button", "aria-pressed": each === told.language }, names[each] ?? each);
    button.addEventListener("click", () => speak(each).then(load));
    return button;
  }));
}

async function load() {
  const told = await asked("places");
  Object.assign(page, { kinds: told.kinds, file: told.file, drawn: told.drawn, mistakes: told.mistakes, yaml: told.yaml });
  $("camera").textContent = told.camera;
  document.title = `${told.camera} · ngatu`;
  $("notice").textContent = told.notice;
  $("notice").hidden = !told.notice;
  $("no-footage").hidden = told.footage.length > 0;
  $("trying").hidden = told.footage.length === 0;
  page.reading += 1;
  $("footage").replaceChildren(...told.footage.map((title, number) => element("option", { value: number }, title)));
  render();
  follow();
}

// ---------------------------------------------------------------------------------- elements

function element(tag, attributes = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

function drawn(tag, attributes, ...inside) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

function button(name, act, kind = "") {
  const made = element("button", { type: "button", class: kind }, word(name));
  made.addEventListener("click", act);
  return made;
}

function field(name, input) {
  return element("label", { class: "field" }, word(name), input);
}

function choice(options, chosen, act) {
  const made = element("select");
  for (const [value, text] of options) made.append(element("option", { value, ...(value === chosen ? { selected: "" } : {}) }, text));
  made.addEventListener("change", () => act(made.value));
  return made;
}

function typed(type, value, act, more = {}) {
  const made = element("input", { type, value, autocapitalize: "none", autocomplete: "off", spellcheck: "false", ...more });
  made.addEventListener("change", () => act(type === "number" ? Number(made.value) : made.value.trim()));
  return made;
}

// ---------------------------------------------------------------------------------- the picture

async function look() {
  for (let seen = 0; ;) {
    let head;
    try {
      const answer = await ask("view", undefined, { after: seen });
      if (!answer.ok) throw new Error(answer.statusText);
      const data = await answer.arrayBuffer();
      const length = new DataView(data).getUint32(0);
      head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
      const picture = data.slice(4 + length);
      if (picture.byteLength) await show(new Blob([picture], { type: "image/jpeg" }));
    } catch {
      complain({ what: word("gone"), hint: "" });
      await new Promise((go) => setTimeout(go, 1500));
      seen = 0; // another preview counts anew
      continue;
    }
    if (head.number === undefined) continue;
    seen = head.number;
    complain(head.trouble);
    if (head.seen) {
      page.view = head.seen;
      state(head.seen);
      renderSeen();
      happened(head.seen.events);
    }
  }
}

async function show(blob) {
  const bitmap = await createImageBitmap(blob);
  page.bitmap?.close();
  page.bitmap = bitmap;
  const canvas = $("picture");
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
    Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
    requestAnimationFrame(render); // the stage has another shape now
  }
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  $("waiting").hidden = true;
}

function complain(trouble) {
  $("trouble").hidden = !trouble;
  if (trouble) $("trouble").textContent = [trouble.what, trouble.hint].filter(Boolean).join(" · ");
}

function state(seen) {
  const now = performance.now();
  page.shown = [...page.shown.filter((when) => now - when < 3000), now];
  const rate = page.shown.length > 1 ? ((page.shown.length - 1) * 1000) / (now - page.shown[0]) : 0;
  const words = [`${rate.toFixed(0)} ${word("per_second")}`];
  if (seen.sees) words.push(`${word("cannot_see")}: ${named("fault", seen.sees)}`);
  if (seen.settling) words.push(word("settling"));
  else if (!seen.crops.length) words.push(word("rests"));
  $("status").textContent = words.join(" · ");
}

function happened(events) {
  const lines = events.map((each) => element("li", { class: each.severity },
    `${new Date(each.at_s * 1000).toLocaleTimeString(page.lang)} · ${described(each)}`));
  $("events").replaceChildren(...(lines.length ? lines : [element("li", {}, word("nothing_happened"))]));
}

function described(event) {
  const alert = event.severity === "alert" ? named("severity", "alert") : "";
  const what = [named("event", event.kind), named("label", event.label), named("direction", event.direction)];
  return [event.rule, ...what, alert].filter(Boolean).join(" · ");
}

// ---------------------------------------------------------------------------------- places, as the page has them

const size = () => ({ width: $("stage").clientWidth, height: $("stage").clientHeight });
const shown = (layer) => document.querySelector(`[data-layer="${layer}"]`).checked;
const kind = (name) => page.kinds.find((each) => each.kind === name) ?? { zone: "none", line: false, asks: [] };
const isLine = (rule) => kind(rule.kind).line;
const lines = () => page.drawn.rules.filter(isLine);
const px = ([x, y]) => [x * size().width, y * size().height];
const text = (points) => points.map((each) => px(each).map((n) => n.toFixed(1)).join(",")).join(" ");

function points(part, index) {
  if (part === "zones") return page.drawn.zones[index].polygon;
  if (part === "privacy_masks") return page.drawn.privacy_masks[index];
  const rule = lines()[index];
  return [rule.start, rule.end];
}

function setPoints(part, index, corners) {
  if (part === "zones") page.drawn.zones[index].polygon = corners;
  else if (part === "privacy_masks") page.drawn.privacy_masks[index] = corners;
  else [lines()[index].start, lines()[index].end] = corners;
}

const titled = (part, index) =>
  part === "zones" ? page.drawn.zones[index].id : part === "lines" ? lines()[index].id : `${word("mask")} ${index + 1}`;

function isWrong(part, index) {
  const at = part === "lines" ? page.drawn.rules.indexOf(lines()[index]) : index;
  const key = part === "lines" ? "rules" : part;
  return page.mistakes.some(({ path }) => path[0] === key && (path[1] === undefined || path[1] === at));
}

function freeName(stem) {
  const taken = new Set([...page.drawn.zones, ...page.drawn.rules].map((each) => each.id));
  for (let number = 1; ; number++) if (!taken.has(`${stem}-${number}`)) return `${stem}-${number}`;
}

let later = 0;
function changed() {
  render();
  clearTimeout(later);
  later = setTimeout(judge, 120);
}

async function judge() {
  const turn = ++page.turn;
  try {
    const told = await asked("draw", page.drawn);
    if (turn !== page.turn) return; // a newer drawing is being judged
    Object.assign(page, { mistakes: told.mistakes, yaml: told.yaml });
    render();
  } catch {
    complain({ what: word("gone"), hint: "" });
  }
}

// ---------------------------------------------------------------------------------- drawn over the picture

function renderSeen() {
  const seen = page.view, made = [];
  if (!seen) return;
  const { width, height } = size();
  const rect = ([left, top, right, bottom], name) => drawn("rect", {
    x: left * width, y: top * height, width: Math.max(0, (right - left) * width), height: Math.max(0, (bottom - top) * height), class: name,
  });
  if (shown("motion")) made.push(...seen.motion.map((box) => rect(box, "motion")));
  if (shown("crops")) made.push(...seen.crops.map((crop) => rect(crop.box, "crop")));
  if (shown("tracks")) {
    for (const track of seen.tracks) {
      made.push(rect(track.box, track.sure ? "track" : "track unsure"));
      if (!track.sure) continue;
      made.push(drawn("polyline", { points: text(track.path), class: "path" }));
      const label = `${track.number} ${named("label", track.label)}${track.riders ? `+${track.riders}` : ""}${track.stands ? ` ${word("stands")}` : ""}`;
      made.push(drawn("text", { x: track.box[0] * width, y: Math.max(16, track.box[1] * height - 5) }, label));
    }
  }
  $("seen").replaceChildren(...made);
}

function renderPlaces() {
  $("over").setAttribute("viewBox", `0 0 ${size().width || 1} ${size().height || 1}`);
  const made = [];
  if (shown("places") || page.pen) {
    for (const part of ["privacy_masks", "zones", "lines"]) {
      const count = part === "lines" ? lines().length : page.drawn[part].length;
      for (let index = 0; index < count; index++) made.push(shape(part, index));
    }
  }
  if (page.pen) made.push(pen());
  $("drawn").replaceChildren(...made);
}

function shape(part, index) {
  const corners = points(part, index), chosen = page.chosen?.part === part && page.chosen.index === index;
  const tag = part === "lines" ? "polyline" : "polygon";
  const group = drawn("g", { class: [part, chosen ? "chosen" : "", isWrong(part, index) ? "wrong" : ""].join(" "), "data-name": titled(part, index) });
  for (const name of ["halo", "edge", "target"]) group.append(drawn(tag, { points: text(corners), class: name }));
  group.lastChild.addEventListener("pointerdown", () => { if (!page.pen) choose(part, index); });
  const [x, y] = middle(corners), [left, top] = px(corners[0]);
  if (part === "lines") group.append(...way(corners, lines()[index].id));
  else group.append(drawn("text", { x: left + (x - left) / 3, y: top + (y - top) / 3, "text-anchor": "middle" }, titled(part, index)));
  if (part === "zones") group.append(...directions(page.drawn.zones[index], [x, y]));
  if (chosen && !page.pen) group.append(...handles(part, index, corners));
  return group;
}

function middle(corners) {
  const all = corners.map(px);
  return [0, 1].map((axis) => all.reduce((sum, each) => sum + each[axis], 0) / all.length);
}

function arrow([x, y], [dx, dy]) {
  const [tx, ty] = [x + dx * 34, y + dy * 34];
  const head = [[tx - dx * 13 - dy * 9, ty - dy * 13 + dx * 9], [tx, ty], [tx - dx * 13 + dy * 9, ty - dy * 13 - dx * 9]];
  return drawn("path", { class: "way", d: `M${x},${y}L${tx},${ty}M${head.map((each) => each.join(",")).join("L")}` });
}

// `in` is to the right of whoever walks over the picture from start to end.
function way(corners, name) {
  const [a, b] = corners.map(px), length = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1;
  const right = [-(b[1] - a[1]) / length, (b[0] - a[0]) / length], at = middle(corners);
  const beyond = [at[0] + right[0] * 52, at[1] + right[1] * 52 + 5];
  return [arrow(at, right), drawn("text", { x: beyond[0], y: beyond[1], "text-anchor": "middle" }, named("direction", "in")),
    drawn("text", { x: Math.min(a[0], b[0]) + 8, y: Math.max(18, (a[0] < b[0] ? a[1] : b[1]) - 10) }, name)];
}

// A number that ends with _deg is a direction on the picture: 0 up, 90 right.
function directions(zone, at) {
  return page.drawn.rules.filter((rule) => rule.zone === zone.id).flatMap((rule) =>
    kind(rule.kind).asks.filter(({ name }) => name.endsWith("_deg")).map(({ name }) => {
      const angle = ((Number(rule[name]) || 0) * Math.PI) / 180;
      return arrow([at[0], at[1] + 8], [Math.sin(angle), -Math.cos(angle)]);
    }));
}

function handles(part, index, corners) {
  const grip = (point, act) => {
    const [cx, cy] = px(point), made = drawn("circle", { cx, cy, r: TOUCH_PX, class: "grip" });
    made.addEventListener("pointerdown", act);
    return made;
  };
  const made = [];
  if (part !== "lines" && corners.length < 64) {
    corners.forEach((corner, at) => {
      const next = corners[(at + 1) % corners.length], between = corner.map((n, axis) => (n + next[axis]) / 2);
      const [cx, cy] = px(between);
      made.push(drawn("circle", { cx, cy, r: 7, class: "middle" }), grip(between, (event) => {
        setPoints(part, index, [...corners.slice(0, at + 1), between, ...corners.slice(at + 1)]);
        drag(event, part, index, at + 1);
      }));
    });
  }
  corners.forEach((corner, at) => {
    const [cx, cy] = px(corner);
    made.push(drawn("circle", { cx, cy, r: 11, class: "handle" }), grip(corner, (event) => drag(event, part, index, at)));
  });
  return made;
}

function pen() {
  const { part, points: corners } = page.pen;
  const group = drawn("g", { class: `${part} chosen` });
  for (const name of ["halo", "edge"]) group.append(drawn("polyline", { points: text(corners), class: name }));
  for (const corner of corners) {
    const [cx, cy] = px(corner);
    group.append(drawn("circle", { cx, cy, r: 11, class: "handle" }));
  }
  return group;
}

// ---------------------------------------------------------------------------------- fingers

function place(event) {
  const box = $("stage").getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]
    .map((n) => Math.round(Math.min(1, Math.max(0, n)) * 1000) / 1000);
}

function hold(event, move) {
  event.preventDefault();
  event.stopPropagation();
  $("stage").setPointerCapture(event.pointerId);
  page.grip = { id: event.pointerId, move };
  follow_finger(event);
}

function follow_finger(event) {
  if (page.grip?.id !== event.pointerId) return;
  const at = place(event);
  page.grip.move(at);
  renderPlaces();
  magnify(at);
}

function let_go(event) {
  if (page.grip?.id !== event.pointerId) return;
  const { after } = page.grip;
  page.grip = null;
  $("loupe").hidden = true;
  after?.();
  if (!page.pen) changed();
}

function drag(event, part, index, at) {
  hold(event, (point) => {
    const corners = [...points(part, index)];
    corners[at] = point;
    setPoints(part, index, corners);
  });
}

// A finger hides what it points at: a glass in the corner shows it.
function magnify([x, y]) {
  const glass = $("loupe"), picture = $("picture"), context = glass.getContext("2d");
  const side = (LOUPE.side / LOUPE.times) * (picture.width / (size().width || 1));
  context.fillRect(0, 0, LOUPE.side, LOUPE.side);
  context.drawImage(picture, x * picture.width - side / 2, y * picture.height - side / 2, side, side, 0, 0, LOUPE.side, LOUPE.side);
  context.lineWidth = 2;
  for (const colour of ["#000", "#fff"]) {
    context.strokeStyle = colour;
    const shift = colour === "#fff" ? 0 : 1.5, half = LOUPE.side / 2;
    context.strokeRect(half - 8 + shift, half - 8 + shift, 16, 16);
  }
  glass.classList.toggle("right", x < 0.5);
  glass.hidden = false;
}

function touched(event) {
  if (!page.pen || page.grip || event.button > 0) return;
  const { part, points: corners } = page.pen;
  corners.push(place(event));
  hold(event, (point) => { corners[corners.length - 1] = point; });
  page.grip.after = () => {
    const last = corners[corners.length - 1], before = corners[corners.length - 2];
    if (before && last[0] === before[0] && last[1] === before[1]) corners.pop(); // touched twice
    if (part === "lines" && corners.length === 2) finish();
    else renderPen();
  };
}

function begin(part) {
  page.pen = { part, points: [] };
  page.chosen = null;
  render();
}

function finish() {
  const { part, points: corners } = page.pen;
  page.pen = null;
  if (part === "lines") {
    const over = page.kinds.find((each) => each.line);
    page.drawn.rules.push({ kind: over.kind, id: freeName("line"), start: corners[0], end: corners[1] });
    page.chosen = { part, index: lines().length - 1 };
  } else if (part === "zones") {
    page.drawn.zones.push({ id: freeName("zone"), polygon: corners });
    page.chosen = { part, index: page.drawn.zones.length - 1 };
  } else {
    page.drawn.privacy_masks.push(corners);
    page.chosen = { part, index: page.drawn.privacy_masks.length - 1 };
  }
  changed();
}

function choose(part, index) {
  if (page.chosen?.part === part && page.chosen.index === index) return;
  page.chosen = { part, index };
  render();
}

function renderPen() {
  const { pen: at } = page;
  $("stage").classList.toggle("draws", at !== null);
  $("drawing").hidden = at === null;
  $("tools").hidden = at !== null;
  if (at) {
    $("how").textContent = word(`drawing_${PLACED[at.part]}`);
    $("done").hidden = at.part === "lines";
    $("done").disabled = at.points.length < 3;
    $("undo").disabled = at.points.length === 0;
  }
  renderPlaces();
}

// ---------------------------------------------------------------------------------- cards

function render() {
  renderPen();
  renderSeen();
  renderWords();
  renderCards();
}

// Made anew only where something came or went: a field would be taken from whoever types, a button from his thumb.
function renderCards() {
  const zones = page.drawn.zones.map((each) => each.id);
  const built = JSON.stringify([page.lang, page.reading, zones.length, page.drawn.privacy_masks.length,
    page.drawn.rules.map((rule) => [rule.kind, rule.zone === undefined ? -2 : zones.indexOf(rule.zone)])]);
  if (built !== $("cards").dataset.built) {
    $("cards").dataset.built = built;
    buildCards();
  }
  for (const each of $("cards").querySelectorAll("[data-part]")) {
    const { part, index } = each.dataset;
    each.classList.toggle("chosen", page.chosen?.part === part && page.chosen.index === Number(index));
    each.classList.toggle("wrong", isWrong(part, Number(index)));
  }
}

function buildCards() {
  const made = [];
  page.drawn.zones.forEach((zone, index) => made.push(card("zones", index, zone)));
  lines().forEach((rule, index) => made.push(card("lines", index, rule)));
  page.drawn.privacy_masks.forEach((_, index) => made.push(card("privacy_masks", index)));
  const others = page.drawn.rules.filter((rule) => !isLine(rule) && !rule.zone);
  const everywhere = page.kinds.filter((each) => !each.line && each.zone !== "needed");
  made.push(element("div", { class: "card" }, element("h3", {}, word("rules_elsewhere")), ...others.map(ruleFields), adder(everywhere, () => ({}))));
  if (!page.drawn.zones.length && !lines().length && !page.drawn.privacy_masks.length) made.unshift(element("p", {}, word("nothing_drawn")));
  $("cards").replaceChildren(...made);
}

function card(part, index, item) {
  const made = element("div", { class: `card ${part}`, "data-part": part, "data-index": index });
  made.addEventListener("pointerdown", () => choose(part, index));
  made.append(element("h3", {}, part === "privacy_masks" ? titled(part, index) : word(PLACED[part]), button("delete", () => remove(part, index))));
  if (part === "zones") {
    made.append(field("name", typed("text", item.id, (value) => rename(item, value))));
    const here = page.kinds.filter((each) => each.zone !== "none");
    const rules = page.drawn.rules.filter((rule) => rule.zone === item.id);
    made.append(...(rules.length ? rules.map(ruleFields) : [element("p", {}, word("zone_needs_rule"))]), adder(here, () => ({ zone: item.id })));
  } else if (part === "lines") {
    made.append(ruleFields(item), button("turn", () => { [item.start, item.end] = [item.end, item.start]; changed(); }));
  }
  return made;
}

function ruleFields(rule) {
  const of = kind(rule.kind), change = (name) => (value) => { rule[name] = value; changed(); };
  const made = element("div", { class: "rule" }, element("p", {}, element("b", {}, rule.kind), ` · ${named("kind", rule.kind)}`));
  const severity = choice(["info", "alert"].map((each) => [each, named("severity", each)]), rule.severity ?? of.severity, change("severity"));
  const row = element("div", { class: "row" }, field("name", typed("text", rule.id, change("id"))), field("severity", severity));
  for (const { name, least, most } of of.asks) row.append(field(name, typed("number", rule[name] ?? least, change(name), { min: least, max: most, inputmode: "numeric" })));
  made.append(row);
  if (!of.line) made.append(button("delete", () => { page.drawn.rules.splice(page.drawn.rules.indexOf(rule), 1); changed(); }));
  return made;
}

function adder(kinds, more) {
  const made = choice([["", `+ ${word("add_rule")}`], ...kinds.map((each) => [each.kind, `${each.kind} · ${named("kind", each.kind)}`])], "", (name) => {
    const asks = Object.fromEntries(kind(name).asks.map((each) => [each.name, each.least]));
    page.drawn.rules.push({ kind: name, id: freeName(name.replaceAll("_", "-")), ...more(), ...asks });
    changed();
  });
  made.classList.add("adds");
  return made;
}

function rename(zone, value) {
  for (const rule of page.drawn.rules) if (rule.zone === zone.id) rule.zone = value;
  zone.id = value;
  changed();
}

function remove(part, index) {
  if (part === "zones") {
    const [gone] = page.drawn.zones.splice(index, 1);
    page.drawn.rules = page.drawn.rules.filter((rule) => rule.zone !== gone.id);
  } else if (part === "lines") page.drawn.rules.splice(page.drawn.rules.indexOf(lines()[index]), 1);
  else page.drawn.privacy_masks.splice(index, 1);
  page.chosen = null;
  changed();
}

function renderWords() {
  $("yaml").value = page.yaml;
  $("mistakes").replaceChildren(...page.mistakes.map(({ what, hint }) => element("li", {}, [what, hint].filter(Boolean).join("; "))));
  $("wrong").hidden = page.mistakes.length === 0;
  const said = (value) => JSON.stringify(value);
  const same = said(page.drawn) === said(page.file);
  $("saved").replaceChildren(...(page.mistakes.length ? [] : rich(`${word("right")} ${word(same ? "same_as_file" : "not_saved")}`)));
  const file = page.file.privacy_masks.map(said), here = page.drawn.privacy_masks.map(said);
  const news = [];
  if (here.some((mask) => !file.includes(mask)) || page.pen?.part === "privacy_masks") news.push(word("mask_not_in_force"));
  if (file.some((mask) => !here.includes(mask))) news.push(word("mask_still_in_force"));
  $("masks").textContent = news.join(" ");
  $("masks").hidden = news.length === 0;
  $("start").disabled = page.mistakes.length > 0;
  $("copy").disabled = page.mistakes.length > 0;
}

async function copy() {
  const area = $("yaml");
  area.focus();
  area.setSelectionRange(0, area.value.length); // select() does nothing on an iPhone
  let done = document.execCommand("copy"); // the newer way is only for pages over TLS
  if (!done) done = await navigator.clipboard?.writeText(area.value).then(() => true, () => false) ?? false;
  $("copy").textContent = word(done ? "copied" : "not_copied");
  setTimeout(() => { $("copy").textContent = word("copy"); }, 2500);
}

// ---------------------------------------------------------------------------------- trying

let following = false;
async function follow() {
  if (following) return;
  following = true;
  try {
    for (; ;) {
      const told = await asked("trial");
      renderTrial(told);
      if (told.course !== "running") break;
      await new Promise((go) => setTimeout(go, 500));
    }
  } catch {
    complain({ what: word("gone"), hint: "" });
  } finally {
    following = false;
  }
}

function renderTrial(told) {
  const running = told.course === "running", list = $("tried");
  $("stop").disabled = !running;
  if (!told.course) return;
  const words = running ? [`${word("running")}: ${tenths(told.seconds)} ${word("seconds")}`] : [];
  if (told.error) words.push([told.error.what, told.error.hint].filter(Boolean).join("; "));
  if (told.course === "stopped") words.push(word("stopped"));
  if (told.events.length) words.push(`${word("would_have_told")}: ${told.events.length + told.more}`);
  else if (!running && !told.error) words.push(word("none_told"));
  if (told.more) words.push(`${word("more_told")}: ${told.more}`);
  $("course").textContent = [told.title, ...words].join(" · ");
  if (list.dataset.trial !== String(page.trial)) {
    list.dataset.trial = page.trial;
    list.replaceChildren();
  }
  for (const each of told.events.slice(list.children.length)) {
    const said = `${tenths(each.after_s)} ${word("seconds")} · ${described(each)}`;
    list.append(element("li", { class: each.severity }, said,
      element("img", { src: `picture?number=${each.number}&trial=${page.trial}`, alt: said, loading: "lazy" })));
  }
}

async function start() {
  clearTimeout(later);
  await judge(); // the rules that are tried are those that are seen here
  if (page.mistakes.length) return;
  page.trial = Date.now();
  renderTrial(await asked("try", { footage: Number($("footage").value) }));
  follow();
}

// ---------------------------------------------------------------------------------- together

for (const each of document.querySelectorAll("[data-draw]")) each.addEventListener("click", () => begin(each.dataset.draw));
for (const each of document.querySelectorAll("[data-layer]")) each.addEventListener("change", render);
$("done").addEventListener("click", finish);
$("undo").addEventListener("click", () => { page.pen.points.pop(); renderPen(); });
$("cancel").addEventListener("click", () => { page.pen = null; render(); });
$("copy").addEventListener("click", copy);
$("read").addEventListener("click", async () => {
  if (!confirm(word("read_file_sure"))) return;
  const answer = await ask("read", {});
  const told = await answer.json();
  if (!answer.ok) { complain(told); return; }
  Object.assign(page, { file: told.file, drawn: told.drawn, mistakes: told.mistakes, yaml: told.yaml, chosen: null, pen: null });
  page.reading += 1;
  render();
});
$("start").addEventListener("click", start);
$("stop").addEventListener("click", async () => renderTrial(await asked("stop", {})));
$("stage").addEventListener("pointerdown", touched);
$("stage").addEventListener("pointermove", follow_finger);
$("stage").addEventListener("pointerup", let_go);
$("stage").addEventListener("pointercancel", let_go);
new ResizeObserver(() => { if (page.drawn) { renderPlaces(); renderSeen(); } }).observe($("stage"));

await speak(new URLSearchParams(location.search).get("lang") ?? "");
await load();
look();
