// One picture, large: looked at closer, and drawn on by mouse, pen and fingers.
import { drawn, labelWord, word } from "./words.js";
import { LEAST_PX, inside, itemAt, moved, ordered } from "./sheet.js";

const COLOURS = ["#ffb000", "#56b4e9", "#3ddc84", "#ff7ac6", "#ff6e40", "#ffffff", "#b39dff", "#ffe14d", "#7fe7e0"];
const SLIP_PX = 4; // of the screen: less is a click
const GRIP = { mouse: 9, touch: 22 }; // how far from a handle a mouse or a finger still holds it
const CLOSEST = 24; // pixels of the screen for one of the picture
const EDGES = [["left", "top"], ["right", "top"], ["left", "bottom"], ["right", "bottom"], ["left"], ["right"], ["top"], ["bottom"]];

export const colourOf = (classes, label) => COLOURS[Math.max(0, classes.indexOf(label)) % COLOURS.length];

export class Stage {
  // `on` hears: choose(where or null), draw(box), change(where, box), slip().
  constructor(place, photo, over, on) {
    Object.assign(this, { place, photo, over, on });
    this.view = { scale: 1, x: 0, y: 0 };
    this.size = { width: 1, height: 1 };
    this.sheet = null;
    this.chosen = null;
    this.classes = [];
    this.hand = null; // what a pointer does: pan, draft, move, size
    this.pointers = new Map();
    this.space = false;
    this.fitted = true;
    new ResizeObserver(() => (this.fitted ? this.fit() : this.render())).observe(place);
    place.addEventListener("pointerdown", (event) => this.down(event));
    place.addEventListener("pointermove", (event) => this.move(event));
    place.addEventListener("pointerup", (event) => this.up(event));
    place.addEventListener("pointercancel", (event) => this.up(event, true));
    place.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    place.addEventListener("auxclick", (event) => event.preventDefault());
  }

  open(picture) {
    this.size = { width: Math.max(1, picture.width), height: Math.max(1, picture.height) };
    this.photo.style.width = `${this.size.width}px`;
    this.photo.style.height = `${this.size.height}px`;
    this.photo.src = `pictures/${picture.id}/image`;
    this.hand = null;
    this.fit();
  }

  show(sheet, chosen, classes) {
    Object.assign(this, { sheet, chosen, classes });
    this.render();
  }

  // ------------------------------------------------------------------------------ the view

  get whole() { return Math.min(this.place.clientWidth / this.size.width, this.place.clientHeight / this.size.height); }

  fit() {
    const scale = this.whole || 1;
    this.view = { scale, x: (this.place.clientWidth - this.size.width * scale) / 2, y: (this.place.clientHeight - this.size.height * scale) / 2 };
    this.fitted = true;
    this.render();
  }

  // Closer or farther by a factor; the point (x, y) of the stage stays where it is.
  zoom(factor, x = this.place.clientWidth / 2, y = this.place.clientHeight / 2) {
    const scale = Math.min(CLOSEST, Math.max(this.whole, this.view.scale * factor));
    const by = scale / this.view.scale;
    this.view = { scale, x: x - (x - this.view.x) * by, y: y - (y - this.view.y) * by };
    this.fitted = scale <= this.whole * 1.001;
    this.pan(0, 0);
  }

  pan(x, y) {
    const hold = (at, side, room) => (side <= room ? (room - side) / 2 : Math.min(0, Math.max(room - side, at)));
    const { scale } = this.view;
    this.view = {
      scale,
      x: hold(this.view.x + x, this.size.width * scale, this.place.clientWidth),
      y: hold(this.view.y + y, this.size.height * scale, this.place.clientHeight),
    };
    this.render();
  }

  // So that a box can be seen that the keys have chosen.
  reveal(box) {
    const { scale, x, y } = this.view;
    const needed = (low, high, room) => (low < 0 ? 20 - low : high > room ? room - 20 - high : 0);
    this.pan(needed(box.left * scale + x, box.right * scale + x, this.place.clientWidth),
      needed(box.top * scale + y, box.bottom * scale + y, this.place.clientHeight));
  }

  // A box in the middle of what is seen, for those who draw by keys.
  middle() {
    const { scale, x, y } = this.view;
    const side = Math.min(this.place.clientWidth, this.place.clientHeight) / 8 / scale;
    const across = (this.place.clientWidth / 2 - x) / scale;
    const down = (this.place.clientHeight / 2 - y) / scale;
    return inside({ left: across - side, right: across + side, top: down - side, bottom: down + side }, this.size.width, this.size.height);
  }

  point(event) {
    const edge = this.place.getBoundingClientRect();
    const [x, y] = [event.clientX - edge.left, event.clientY - edge.top];
    return { x, y, across: (x - this.view.x) / this.view.scale, down: (y - this.view.y) / this.view.scale };
  }

  wheel(event) {
    event.preventDefault();
    const { x, y } = this.point(event);
    this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : event.ctrlKey ? 0.01 : 0.0016)), x, y);
  }

  // ------------------------------------------------------------------------------ the hand

  down(event) {
    if (!this.sheet || event.target.closest(".notice") || (event.pointerType === "mouse" && event.button > 1)) return;
    this.place.focus({ preventScroll: true });
    this.place.setPointerCapture(event.pointerId);
    const at = this.point(event);
    this.pointers.set(event.pointerId, at);
    if (this.pointers.size > 1) this.hand = { does: "pan" }; // a second finger: nothing is drawn
    else if (event.button === 1 || this.space) this.hand = { does: "pan" };
    else this.hand = this.grip(at, event) ?? { does: "draft", from: at, to: at };
    event.preventDefault();
    this.render();
  }

  grip(at, event) {
    const box = itemAt(this.sheet, this.chosen);
    if (!box) return null;
    const near = GRIP[event.pointerType === "mouse" ? "mouse" : "touch"];
    const { scale, x, y } = this.view;
    const held = EDGES.find((edges) => {
      const [across, down] = this.handle(box, edges);
      return Math.hypot(across * scale + x - at.x, down * scale + y - at.y) <= near;
    });
    if (held) return { does: "size", edges: held, where: this.chosen, box };
    const within = at.across > box.left && at.across < box.right && at.down > box.top && at.down < box.bottom;
    return within && !event.shiftKey ? { does: "move", from: at, where: this.chosen, box, start: box } : null;
  }

  handle(box, edges) {
    const across = edges.includes("left") ? box.left : edges.includes("right") ? box.right : (box.left + box.right) / 2;
    const down = edges.includes("top") ? box.top : edges.includes("bottom") ? box.bottom : (box.top + box.bottom) / 2;
    return [across, down];
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before || !this.hand) return;
    const at = this.point(event);
    if (this.hand.does === "pan") this.drag(event.pointerId, before, at);
    this.pointers.set(event.pointerId, at);
    const { width, height } = this.size;
    if (this.hand.does === "draft") this.hand.to = at;
    if (this.hand.does === "move") this.hand.box = moved(this.hand.start, at.across - this.hand.from.across, at.down - this.hand.from.down, width, height);
    if (this.hand.does === "size") this.hand.box = inside(this.sized(this.hand.box, this.hand.edges, at), width, height);
    this.render();
  }

  sized(box, edges, at) {
    const next = { ...box };
    if (edges.includes("left")) next.left = Math.min(at.across, box.right - LEAST_PX);
    if (edges.includes("right")) next.right = Math.max(at.across, box.left + LEAST_PX);
    if (edges.includes("top")) next.top = Math.min(at.down, box.bottom - LEAST_PX);
    if (edges.includes("bottom")) next.bottom = Math.max(at.down, box.top + LEAST_PX);
    return next;
  }

  // One pointer moves the picture; two also bring it closer.
  drag(id, before, at) {
    const other = [...this.pointers].find(([each]) => each !== id)?.[1];
    if (!other) return this.pan(at.x - before.x, at.y - before.y);
    const apart = (a) => Math.hypot(a.x - other.x, a.y - other.y) || 1;
    this.pan((at.x - before.x) / 2, (at.y - before.y) / 2);
    this.zoom(apart(at) / apart(before), (at.x + other.x) / 2, (at.y + other.y) / 2);
  }

  up(event, lost = false) {
    if (!this.pointers.delete(event.pointerId) || !this.hand) return;
    if (this.hand.does === "pan" && this.pointers.size > 0) return;
    const { hand } = this;
    this.hand = null;
    if (!lost && hand.does === "draft") this.drew(hand.from, hand.to);
    if (!lost && (hand.does === "move" || hand.does === "size")) {
      if (JSON.stringify(hand.box) !== JSON.stringify(itemAt(this.sheet, hand.where))) this.on.change(hand.where, hand.box);
      else if (hand.does === "move") this.on.choose(this.under(hand.from)); // a click on what may lie inside it
    }
    this.render();
  }

  drew(from, to) {
    if (Math.hypot(from.x - to.x, from.y - to.y) < SLIP_PX) return this.on.choose(this.under(from));
    const box = inside({
      left: Math.min(from.across, to.across), right: Math.max(from.across, to.across),
      top: Math.min(from.down, to.down), bottom: Math.max(from.down, to.down),
    }, this.size.width, this.size.height);
    const small = box.right - box.left < LEAST_PX || box.bottom - box.top < LEAST_PX;
    return small ? this.on.slip() : this.on.draw(box);
  }

  // The smallest box under a point: large ones can be hit elsewhere.
  under({ across, down }) {
    const room = 3 / this.view.scale;
    const area = ({ box }) => (box.right - box.left) * (box.bottom - box.top);
    const hit = ordered(this.sheet).filter(({ box }) =>
      across >= box.left - room && across <= box.right + room && down >= box.top - room && down <= box.bottom + room);
    const best = hit.sort((a, b) => area(a) - area(b))[0];
    return best ? { kind: best.kind, index: best.index } : null;
  }

  // ------------------------------------------------------------------------------ drawing

  render() {
    const { scale, x, y } = this.view;
    this.photo.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    this.photo.style.imageRendering = scale > 4 ? "pixelated" : "auto";
    this.place.classList.toggle("pans", this.space || this.hand?.does === "pan");
    const parts = [];
    for (const each of this.sheet ? ordered(this.sheet) : []) {
      const isChosen = this.chosen?.kind === each.kind && this.chosen.index === each.index;
      if (!isChosen) parts.push(this.drawing(each, each.box, false));
    }
    const held = this.hand?.where ? this.hand.box : this.sheet && itemAt(this.sheet, this.chosen);
    if (held) parts.push(this.drawing(this.chosen, held, true));
    if (this.hand?.does === "draft") {
      const { from, to } = this.hand;
      parts.push(drawn("rect", {
        class: "draft", x: Math.min(from.x, to.x), y: Math.min(from.y, to.y),
        width: Math.abs(from.x - to.x), height: Math.abs(from.y - to.y),
      }));
    }
    this.over.replaceChildren(...parts);
  }

  drawing({ kind }, box, isChosen) {
    const { scale, x, y } = this.view;
    const at = { x: box.left * scale + x, y: box.top * scale + y, width: (box.right - box.left) * scale, height: (box.bottom - box.top) * scale };
    const names = [kind === "proposals" && "proposal", box.ignored && "ignored", isChosen && "chosen"].filter(Boolean);
    const group = drawn("g", { class: names.join(" "), "data-label": box.label },
      drawn("rect", { class: "halo", ...at }),
      drawn("rect", { class: "edge", stroke: colourOf(this.classes, box.label), ...at }));
    if (isChosen) {
      const words = box.ignored ? `${labelWord(box.label)} · ${word("ignored")}` : labelWord(box.label);
      group.append(drawn("text", { x: at.x + 1, y: at.y > 20 ? at.y - 7 : at.y + at.height + 16 }, words));
      for (const edges of EDGES) {
        const [across, down] = this.handle(box, edges);
        group.append(drawn("rect", { class: "handle", x: across * scale + x - 4.5, y: down * scale + y - 4.5, width: 9, height: 9 }));
      }
    }
    return group;
  }
}
