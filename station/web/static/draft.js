// What was typed into a form is there again after a reload, and after a request that did not arrive: for this tab,
// this account and this address, for two hours. It goes once the station has taken it, or with "Leave it".
const form = document.querySelector("form[data-draft]");
const KEPT_MS = 7200000;
const mine = (key) => key.startsWith("draft ");
const drafts = () => Object.keys(sessionStorage).filter(mine);

function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
}

// The answer to a form that was taken leads to a page that says so.
const [navigation] = performance.getEntriesByType("navigation");
if (document.querySelector("[data-taken]") && navigation?.redirectCount > 0) {
  for (const key of drafts()) if (read(key)?.sent) sessionStorage.removeItem(key);
}

function follow() {
  const key = `draft ${form.dataset.draft} ${location.pathname}${location.search}`;
  const fields = [...form.elements].filter((each) => each.name && each.type !== "hidden" && each.type !== "submit");
  const put = (sent) => {
    const values = Object.fromEntries(fields.map((each) => [each.name, each.value]));
    sessionStorage.setItem(key, JSON.stringify({ at: Date.now(), sent, values }));
  };
  const known = read(key);
  const isAnswer = form.hasAttribute("data-answer"); // the station gave back what was sent, with what is wrong
  if (known && !isAnswer && Date.now() - known.at < KEPT_MS) {
    let changed = false;
    for (const each of fields) {
      const value = known.values[each.name];
      if (value === undefined || value === each.value) continue;
      each.value = value;
      each.dispatchEvent(new Event("change", { bubbles: true }));
      changed = true;
    }
    form.querySelector(".restored").hidden = !changed;
  }
  form.addEventListener("input", () => put(false));
  form.addEventListener("submit", () => put(true));
  document.querySelector("[data-leave]").addEventListener("click", () => sessionStorage.removeItem(key));
  form.querySelector(".restored button").addEventListener("click", () => {
    sessionStorage.removeItem(key);
    location.reload();
  });
}

if (form) follow();
