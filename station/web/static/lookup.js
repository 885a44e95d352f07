// Arrow keys lead from tile to tile; Enter opens one, as it does every link.

const results = document.getElementById("results");
const links = results ? [...results.querySelectorAll("a[href]")] : [];

function place(link) {
  const { left, top, width, height } = link.getBoundingClientRect();
  return { x: left + width / 2, y: top + height / 2 };
}

/** The nearest link in a direction: in the same row to the left and right, in the nearest row above and below. */
function beside(link, key) {
  const index = links.indexOf(link);
  if (key === "ArrowRight") return links[index + 1];
  if (key === "ArrowLeft") return links[index - 1];
  const from = place(link);
  const sign = key === "ArrowDown" ? 1 : -1;
  const beyond = links.map((each) => ({ each, at: place(each) })).filter(({ at }) => sign * (at.y - from.y) > 8);
  const row = Math.min(...beyond.map(({ at }) => sign * at.y));
  const near = beyond.filter(({ at }) => sign * at.y < row + 8);
  near.sort((one, other) => Math.abs(one.at.x - from.x) - Math.abs(other.at.x - from.x));
  return near[0]?.each;
}

document.addEventListener("keydown", (event) => {
  if (!event.key.startsWith("Arrow") || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const on = document.activeElement;
  const inside = links.includes(on);
  if (!inside && on !== document.body && on !== document.querySelector("main")) return;
  const next = inside ? beside(on, event.key) : links[0];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: "nearest" });
});
