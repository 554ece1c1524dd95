// How long a promise has left, told beside its time.
export function tick() {
  for (const place of document.querySelectorAll("[data-due]")) {
    const minutes = Math.round((Date.parse(place.dataset.due) - Date.now()) / 60000);
    let left = place.querySelector(".left");
    if (!left) {
      left = document.createElement("span");
      left.className = "left";
      place.append(left);
    }
    const size = Math.abs(minutes) < 120 ? `${Math.abs(minutes)} min` : `${Math.round(Math.abs(minutes) / 60)} h`;
    left.textContent = minutes >= 0 ? ` (in ${size})` : ` (${size} late)`;
    place.classList.toggle("late", minutes < 0);
  }
}
