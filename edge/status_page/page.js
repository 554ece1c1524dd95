// Draws the page anew every two seconds while it is looked at. Without this script it is as good, and reloaded by hand.
"use strict";
const EVERY_MS = 2000;

async function redraw() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/", { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.querySelector("main").replaceWith(page.querySelector("main"));
    document.title = page.title;
    tell(", live");
  } catch {
    tell("; the service does not answer any more");
  }
}

function tell(words) {
  const live = document.getElementById("live");
  if (live) {
    live.textContent = words;
    live.classList.toggle("bad", words !== ", live");
  }
}

setInterval(redraw, EVERY_MS);
document.addEventListener("visibilitychange", redraw);
redraw();
