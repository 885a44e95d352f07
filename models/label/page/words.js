// Words in the language of whoever reads, and elements made without markup.
const SVG = "http://www.w3.org/2000/svg";

export const $ = (id) => document.getElementById(id);
export const spoken = { language: "", words: {}, labels: {} };
export const word = (name) => spoken.words[name] ?? name;
export const labelWord = (label) => spoken.labels[label] ?? label;

export function element(tag, attributes = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

export function drawn(tag, attributes, ...inside) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

export async function speak(code) {
  const answer = await (await fetch(`words?lang=${encodeURIComponent(code)}`)).json();
  Object.assign(spoken, answer);
  document.documentElement.lang = answer.language;
  for (const each of document.querySelectorAll("[data-word], [data-key]")) dress(each);
  for (const each of document.querySelectorAll("[data-name]")) each.setAttribute("aria-label", word(each.dataset.name));
  return answer;
}

// A word, and the key that does the same.
function dress(each) {
  const inside = each.dataset.word ? [element("span", {}, word(each.dataset.word))] : [];
  if (each.dataset.key) {
    inside.push(element("kbd", {}, each.dataset.key));
    if (each.dataset.key.length === 1) each.setAttribute("aria-keyshortcuts", each.dataset.key);
  }
  each.replaceChildren(...inside);
}
