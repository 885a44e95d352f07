// Films of one package as one stretch of time: the bar below the film shows where it is, a click goes there.
const player = document.getElementById("player");
const video = player.querySelector("video");
const bar = player.querySelector(".timebar");
const head = bar.querySelector(".head");
const at = document.getElementById("at");
const start = Number(player.dataset.start);
const end = Number(player.dataset.end);
const offset = Number(player.dataset.offset) * 60000; // the station's zone, whatever the browser's
const films = [...player.querySelectorAll("[data-film]")].map((link) => ({
  link, src: link.getAttribute("href"), start: Number(link.dataset.start), end: Number(link.dataset.end),
}));
let now = -1;

let base = 0; // where on its own clock the film begins: a part of a long recording begins late
const shown = () => films[now].start + (video.currentTime - base) * 1000;

function told(ms) {
  at.textContent = new Date(ms + offset).toISOString().slice(11, 19);
  const x = ((Math.min(end, Math.max(start, ms)) - start) / Math.max(1, end - start)) * 1000;
  head.setAttribute("x", String(Math.min(998, x)));
}

function load(number, ms, plays) {
  const film = films[number];
  const go = () => {
    video.currentTime = base + Math.max(0, (ms - film.start) / 1000);
    told(ms);
    if (plays) video.play().catch(() => {});
  };
  if (number === now && video.readyState > 0) {
    go();
    return;
  }
  now = number;
  films.forEach((each, index) => each.link.classList.toggle("on", index === number));
  video.src = film.src;
  const begins = () => {
    if (now !== number) return;
    base = video.currentTime;
    go();
  };
  const known = () => {
    if (now !== number) return;
    video.addEventListener("seeked", begins, { once: true });
    video.currentTime = 0; // the browser goes to the first picture that there is
  };
  video.addEventListener("loadedmetadata", known, { once: true });
}

// Where nothing was recorded the next film begins.
function seek(ms, plays = !video.paused) {
  const found = films.findIndex((film) => ms < film.end);
  const number = found < 0 ? films.length - 1 : found;
  const film = films[number];
  load(number, Math.min(Math.max(ms, film.start), Math.max(film.start, film.end - 200)), plays);
}

video.addEventListener("timeupdate", () => video.readyState > 0 && !video.seeking && told(shown()));
video.addEventListener("ended", () => now + 1 < films.length && load(now + 1, films[now + 1].start, true));
bar.addEventListener("click", (event) => {
  const box = bar.getBoundingClientRect();
  seek(start + ((event.clientX - box.left) / box.width) * (end - start));
});
for (const { link, start: begins } of films) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    seek(begins);
  });
}
for (const button of document.querySelectorAll("[data-jump]")) {
  button.addEventListener("click", () => seek(Number(button.dataset.jump)));
}
load(0, films[0].start, false);
