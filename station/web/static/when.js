// Fields of a moment show month and day in the order of the browser's language, and hours by twelve in some: what
// stands in one is said beside it in words, as it is typed. The words are the server's.
const words = document.getElementById("when").dataset;
const days = words.days.split("|");
const months = words.months.split("|");
const FIELDS = "input[type=datetime-local], input[type=date]";

function said(value) {
  const found = /^(\d{4,})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d))?/.exec(value);
  if (!found) return "";
  const [, year, month, day, hour, minute] = found;
  const weekday = days[(new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7];
  const values = { weekday, day: Number(day), month: months[month - 1], year: Number(year), hour, minute };
  const text = hour === undefined ? words.day : words.moment;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

document.querySelectorAll(FIELDS).forEach((field, at) => {
  const beside = document.createElement("span");
  beside.className = "when";
  beside.id = `when-${at}`;
  beside.setAttribute("aria-hidden", "true"); // the label keeps its name; the field is described by it
  field.setAttribute("aria-describedby", beside.id);
  field.max ||= field.type === "date" ? "9999-12-31" : "9999-12-31T23:59"; // else a year has six digits
  field.after(beside);
  const show = () => (beside.textContent = said(field.value));
  for (const kind of ["input", "change"]) field.addEventListener(kind, show);
  addEventListener("pageshow", show); // a browser that goes back fills fields in by itself
  show();
});
