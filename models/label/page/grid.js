// All pictures with how far they are, by camera and by state, a page at a time.
import { $, element, word } from "./words.js";

const PAGE = 120;
export const STATES = ["open", "begun", "done", "empty", "unsure", "fault"];

export function stateOf(picture) {
  if (picture.fault) return "fault";
  if (picture.state === "done") return picture.boxes ? "done" : "empty";
  if (picture.state === "unsure") return "unsure";
  return picture.boxes ? "begun" : "open";
}

export const isLeft = (picture) => ["open", "begun"].includes(stateOf(picture));

export class Grid {
  constructor(pictures, open) {
    Object.assign(this, { pictures, open, shown: PAGE, here: 0 });
    for (const id of ["by-camera", "by-state"]) $(id).addEventListener("change", () => { this.shown = PAGE; this.render(); });
    $("more").addEventListener("click", () => { this.shown += PAGE; this.render(); });
  }

  counted(camera) {
    const of = [...this.pictures.values()].filter((each) => each.camera === camera);
    return `${of.filter((each) => !isLeft(each)).length}/${of.length}`;
  }

  choices(id, options) {
    const chosen = $(id).value;
    $(id).replaceChildren(...options.map(([value, text]) => element("option", { value }, text)));
    $(id).value = options.some(([value]) => value === chosen) ? chosen : "*";
  }

  render() {
    const all = [...this.pictures.values()];
    const cameras = [...new Set(all.map((each) => each.camera))].sort();
    this.choices("by-camera", [["*", word("all")], ...cameras.map((each) => [`=${each}`, `${each || word("no_camera")} (${this.counted(each)})`])]);
    this.choices("by-state", [["*", word("all")], ...STATES.map((each) => [each, `${word(`state_${each}`)} (${all.filter((one) => stateOf(one) === each).length})`])]);
    const [camera, state] = [$("by-camera").value, $("by-state").value];
    const wanted = all.filter((each) => (camera === "*" || camera === `=${each.camera}`) && (state === "*" || stateOf(each) === state));
    $("shown").textContent = wanted.length ? `${Math.min(this.shown, wanted.length)}/${wanted.length}` : word("none_here");
    $("tiles").replaceChildren(...wanted.slice(0, this.shown).map((each) => this.tile(each)));
    $("more").hidden = wanted.length <= this.shown;
  }

  tile(picture) {
    const state = stateOf(picture);
    const how = [word(`state_${state}`)];
    if (picture.boxes) how.push(`${picture.boxes} ${word("boxes")}`);
    if (picture.proposals && isLeft(picture)) how.push(`${picture.proposals} ${word("proposals")}`);
    const image = state === "fault" ? [] : [element("img", { src: `pictures/${picture.id}/tile`, alt: "", loading: "lazy", decoding: "async" })];
    const button = element("button", { type: "button", class: `is-${state}${picture.id === this.here ? " is-here" : ""}` },
      ...image, element("span", { class: "file" }, picture.name), element("span", { class: "how" }, how.join(" · ")));
    button.addEventListener("click", () => this.open(picture.id));
    return element("li", {}, button);
  }
}
