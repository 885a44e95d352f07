// Boxes put on a plan: dragged with mouse or finger, moved with arrow keys. What is saved are the form's numbers.
const form = document.getElementById("arrange");
const plan = form.querySelector(".plan");
const unsaved = document.getElementById("unsaved");
let held = null;
let changed = false;
document.documentElement.classList.add("scripted");

const markOf = (device) => plan.querySelector(`.place[data-device="${CSS.escape(device)}"]`);
const rowOf = (device) => form.querySelector(`li[data-device="${CSS.escape(device)}"]`);
const inputs = (device) => rowOf(device).querySelectorAll("input");
const bound = (permille) => Math.min(1000, Math.max(0, Math.round(permille)));

function at(device) {
  const [x, y] = inputs(device);
  return x.value === "" || y.value === "" ? null : [Number(x.value), Number(y.value)];
}

function put(device, x, y) {
  const [left, top] = inputs(device);
  left.value = bound(x);
  top.value = bound(y);
  show(device);
}

function show(device) {
  const place = at(device);
  const mark = markOf(device);
  rowOf(device).querySelector("[data-off]").hidden = place === null;
  if (place === null) mark.setAttribute("display", "none");
  else {
    mark.removeAttribute("display");
    mark.setAttribute("x", `${bound(place[0]) / 10}%`);
    mark.setAttribute("y", `${bound(place[1]) / 10}%`);
  }
  changed = true;
  unsaved.textContent = form.dataset.wordUnsaved;
}

function takeOff(device) {
  for (const input of inputs(device)) input.value = "";
  show(device);
  rowOf(device).querySelector(".name").focus();
}

function choose(device) {
  for (const mark of plan.querySelectorAll(".place")) mark.classList.toggle("chosen", mark.dataset.device === device);
  for (const row of form.querySelectorAll(".spots li")) {
    row.querySelector(".name").setAttribute("aria-pressed", String(row.dataset.device === device));
  }
}

function permille(event) {
  const box = plan.getBoundingClientRect();
  return [((event.clientX - box.left) / box.width) * 1000, ((event.clientY - box.top) / box.height) * 1000];
}

form.addEventListener("click", (event) => {
  const device = event.target.closest(".spots li")?.dataset.device;
  if (!device) return;
  if (event.target.closest("[data-off]")) takeOff(device);
  else if (event.target.closest(".name")) {
    choose(device);
    if (at(device) === null) put(device, 500, 500);
    markOf(device).focus({ preventScroll: true });
  }
});

form.addEventListener("input", (event) => {
  const device = event.target.closest(".spots li")?.dataset.device;
  if (device) show(device);
});

plan.addEventListener("pointerdown", (event) => {
  const mark = event.target.closest(".place");
  if (!mark || event.button !== 0) return;
  event.preventDefault();
  held = { mark, device: mark.dataset.device };
  mark.setPointerCapture(event.pointerId);
  mark.classList.add("held");
  choose(held.device);
  mark.focus({ preventScroll: true });
});

plan.addEventListener("pointermove", (event) => {
  if (held) put(held.device, ...permille(event));
});

for (const end of ["pointerup", "pointercancel"]) {
  plan.addEventListener(end, () => {
    if (held) held.mark.classList.remove("held");
    held = null;
  });
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
plan.addEventListener("keydown", (event) => {
  const device = event.target.closest(".place")?.dataset.device;
  if (!device) return;
  const step = STEPS[event.key];
  if (step) {
    event.preventDefault();
    const [x, y] = at(device) ?? [500, 500];
    const far = event.shiftKey ? 50 : 5;
    choose(device);
    put(device, x + step[0] * far, y + step[1] * far);
  } else if (event.key === "Delete" || event.key === "Backspace") {
    event.preventDefault();
    takeOff(device);
  }
});

form.addEventListener("submit", () => {
  changed = false;
});
addEventListener("beforeunload", (event) => {
  if (changed) event.preventDefault();
});
