// Brings every change to the program at once, in order, and never over what somebody else has saved.
const AGAIN_MS = 1500;

// Whether two sheets say the same, whoever has written them.
const flat = ({ label, left, top, right, bottom, ignored, score }) => [label, left, top, right, bottom, ignored, score];
const said = ({ state, boxes, proposals }) => JSON.stringify([state, boxes.map(flat), proposals.map(flat)]);

export class Saver {
  // `on` hears: state("saved" | "saving" | "not_saved", words), conflict(theirs, mine), refused().
  constructor(on) {
    this.on = on;
    this.id = this.version = 0;
    this.wanted = null;
    this.running = null;
  }

  get pending() { return this.running !== null; }

  // Another picture; what is left of the one before has been saved.
  open(id, version) {
    this.id = id;
    this.version = version;
  }

  put(sheet) {
    this.wanted = sheet;
    this.running ??= this.run().finally(() => { this.running = null; });
  }

  async settled() {
    while (this.running) await this.running;
  }

  async run() {
    while (this.wanted) {
      const sheet = this.wanted;
      this.wanted = null;
      this.on.state("saving");
      let answer;
      let words = "";
      try {
        answer = await fetch(`pictures/${this.id}`, {
          method: "PUT",
          headers: { "Content-Type": "application/json", "If-Match": `"${this.version}"` },
          body: JSON.stringify(sheet),
        });
        if (answer.status === 409) words = (await answer.json()).error;
      } catch { /* it does not answer */ }
      if (answer?.ok) this.version = (await answer.json()).version;
      else if (answer?.status === 412) {
        const theirs = await answer.json();
        const mine = this.wanted ?? sheet;
        this.version = theirs.version;
        if (said(theirs) === said(sheet)) continue; // it was saved, and the answer was lost on its way
        this.wanted = null;
        this.on.conflict(theirs, mine);
      } else if (answer && answer.status !== 409 && answer.status < 500) {
        this.wanted = null;
        this.on.refused();
        return;
      } else {
        this.wanted ??= sheet;
        this.on.state("not_saved", words);
        await new Promise((go) => setTimeout(go, AGAIN_MS));
      }
    }
    this.on.state("saved");
  }
}
