// What a keyboard does with a password unseen: Caps Lock, and a Vietnamese keyboard that makes "â" of "aa". Nothing
// of it is sent anywhere, and the password is hidden again before the form goes.
const form = document.querySelector("form[action='/login']");
const password = form.querySelector("[name=password]");
const caps = document.getElementById("caps");
const marks = document.getElementById("marks");
const show = document.getElementById("show");

document.getElementById("showing").hidden = false;
show.checked = false;

function look(event) {
  if (event.getModifierState) caps.hidden = !event.getModifierState("CapsLock");
}

for (const kind of ["keydown", "keyup", "pointerdown"]) form.addEventListener(kind, look);
password.addEventListener("input", () => {
  marks.hidden = !/[^\x00-\x7f]/.test(password.value);
});
show.addEventListener("change", () => {
  password.type = show.checked ? "text" : "password";
});
form.addEventListener("submit", () => {
  password.type = "password";
});
