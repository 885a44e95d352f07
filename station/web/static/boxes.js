// The wall of boxes, and a plan that is only looked at: renewed every few seconds.
import { follow } from "./live.js";

const root = document.querySelector("[data-live]");
follow(root.dataset.live, root, () => 4000);
