// How many alerts are open and how much needs help, at the menu's own words; wherever a page hears of it.
export function badges(numbers) {
  for (const badge of document.querySelectorAll("[data-badge]")) {
    const number = numbers[badge.dataset.badge];
    if (number === undefined) continue;
    badge.textContent = number;
    badge.hidden = !number;
  }
}
