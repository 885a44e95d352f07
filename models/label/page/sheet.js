// What is known of one picture, as values that never change, and the way back through them.
export const EMPTY = { state: "open", boxes: [], proposals: [] };
export const LEAST_PX = 3; // of a box's side: less is a slip of the hand

export const sheetOf = ({ state, boxes, proposals }) => ({ state, boxes, proposals });
export const bare = ({ score, ...box }) => box; // a proposal that somebody has taken for right

export function itemAt(sheet, chosen) {
  return chosen ? sheet[chosen.kind][chosen.index] : undefined;
}

// Everything that is drawn, in the order in which the keys go through it: from left to right.
export function ordered(sheet) {
  const all = ["boxes", "proposals"].flatMap((kind) => sheet[kind].map((box, index) => ({ kind, index, box })));
  return all.sort((a, b) => a.box.left - b.box.left || a.box.top - b.box.top || a.index - b.index);
}

export function withBox(sheet, box) {
  return { ...sheet, boxes: [...sheet.boxes, box] };
}

// The sheet with another box in a place, and where that is then: a proposal that was touched is a box.
export function changed(sheet, { kind, index }, change) {
  const box = { ...bare(sheet[kind][index]), ...change };
  if (kind === "boxes") return [{ ...sheet, boxes: sheet.boxes.with(index, box) }, { kind, index }];
  const proposals = sheet.proposals.toSpliced(index, 1);
  return [{ ...sheet, boxes: [...sheet.boxes, box], proposals }, { kind: "boxes", index: sheet.boxes.length }];
}

export function without(sheet, { kind, index }) {
  const left = { ...sheet, [kind]: sheet[kind].toSpliced(index, 1) };
  // That nothing is in a picture is an answer of its own: it never comes about by taking the last box away.
  return left.state === "done" && left.boxes.length === 0 ? { ...left, state: "open" } : left;
}

export function accepted(sheet) {
  return { ...sheet, boxes: [...sheet.boxes, ...sheet.proposals.map(bare)], proposals: [] };
}

export function inside(box, width, height) {
  const clip = (value, most) => Math.round(Math.min(most, Math.max(0, value)) * 10) / 10;
  return { ...box, left: clip(box.left, width), right: clip(box.right, width), top: clip(box.top, height), bottom: clip(box.bottom, height) };
}

// Moved as a whole, as far as the picture goes.
export function moved(box, x, y, width, height) {
  const right = Math.min(Math.max(x, -box.left), width - box.right);
  const down = Math.min(Math.max(y, -box.top), height - box.bottom);
  return inside({ ...box, left: box.left + right, right: box.right + right, top: box.top + down, bottom: box.bottom + down }, width, height);
}

export class History {
  constructor(sheet) {
    this.sheets = [sheet];
    this.at = 0;
  }
  get now() { return this.sheets[this.at]; }
  get untouched() { return this.sheets.length === 1; }
  get canUndo() { return this.at > 0; }
  get canRedo() { return this.at < this.sheets.length - 1; }
  put(sheet) {
    this.sheets = [...this.sheets.slice(0, this.at + 1), sheet];
    this.at += 1;
  }
  // In the place of the last one: many small steps of one movement are undone together.
  amend(sheet) {
    this.sheets = [...this.sheets.slice(0, this.at), sheet];
  }
  undo() { if (this.canUndo) this.at -= 1; }
  redo() { if (this.canRedo) this.at += 1; }
}
