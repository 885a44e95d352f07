// Keeps a page fresh: values of ours into elements that say by attributes what they show. No HTML is ever parsed.
//   data-text="name"            its text
//   data-show="name"            hidden unless the value is true
//   data-attr="href:name;…"     attributes; without a value they are taken away
//   data-list="name"            one child for each of the values, made of the <template> in it, by its `key`;
//                               data-model="id" names one elsewhere, for in an <svg> there are no templates
// What has not changed is left alone: nothing flickers, and the focus stays where it is.

export function fill(element, values) {
  const { text, show, attr, list } = element.dataset;
  if (text !== undefined) put(element, "textContent", String(values[text] ?? ""));
  if (show !== undefined) put(element, "hidden", !values[show]);
  if (attr !== undefined) {
    for (const pair of attr.split(";")) {
      const [name, key] = pair.split(":");
      const value = values[key];
      if (value === null || value === undefined || value === false || value === "") element.removeAttribute(name);
      else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
    }
  }
  if (list !== undefined) sync(element, values[list] ?? []);
  else for (const child of element.children) if (child.tagName !== "TEMPLATE") fill(child, values);
}

function put(element, property, value) {
  if (element[property] !== value) element[property] = value;
}

function sync(parent, items) {
  const own = [...parent.children].find((child) => child.tagName === "TEMPLATE");
  const elsewhere = parent.dataset.model;
  const model = own ? own.content.firstElementChild : document.getElementById(elsewhere).content.firstElementChild.firstElementChild;
  const known = new Map([...parent.children].filter((child) => child.dataset.key).map((child) => [child.dataset.key, child]));
  const focused = document.activeElement;
  let place = own ?? null;
  for (const item of items) {
    let child = known.get(item.key);
    known.delete(item.key);
    if (!child) {
      child = document.importNode(model, true);
      child.dataset.key = item.key;
    }
    fill(child, item);
    const next = place ? place.nextElementSibling : parent.firstElementChild;
    if (next !== child) {
      parent.insertBefore(child, next);
      if (child.contains(focused) && document.activeElement !== focused) focused.focus({ preventScroll: true });
    }
    place = child;
  }
  for (const gone of known.values()) gone.remove();
}

// Asks for values every so many milliseconds and fills them in; says so where none come. Gives back what asks now.
export function follow(address, root, pace, seen = () => {}) {
  const stale = document.querySelector("[data-stale]");
  let timer = null;
  let failed = 0;
  async function ask() {
    clearTimeout(timer);
    let wait = pace(null);
    try {
      const answer = await fetch(address, { cache: "no-store", headers: { accept: "application/json" } });
      if (answer.status === 401 || answer.status === 403) return location.reload();
      if (!answer.ok) throw new Error(String(answer.status));
      const values = await answer.json();
      fill(root, values);
      seen(values);
      failed = 0;
      wait = pace(values);
    } catch {
      failed += 1;
    }
    if (stale) stale.hidden = failed < 2;
    timer = setTimeout(ask, document.hidden ? Math.max(wait, 15000) : wait);
  }
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) ask();
  });
  timer = setTimeout(ask, pace(null));
  return ask;
}
