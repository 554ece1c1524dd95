// The list never jumps: while pointer or focus is on it, rows change in place and newcomers wait behind a button.
export function makeList() {
  const holder = document.getElementById("list");
  if (!holder) return null;
  const fresh = document.getElementById("fresh");
  const rowsOf = (root) => [...root.querySelectorAll("li.row")];
  let pointed = false, latest = null, asked = 0;
  holder.addEventListener("pointerenter", () => { pointed = true; });
  holder.addEventListener("pointerleave", () => { pointed = false; });
  fresh.addEventListener("click", () => { if (latest) whole(latest); });

  function kept(row) {
    const box = row.querySelector("input[type=checkbox]");
    return box && box.checked;
  }

  function swap(old, made) {
    const focus = old.contains(document.activeElement) ? document.activeElement.id : null;
    if (kept(old)) made.querySelector("input[type=checkbox]").checked = true;
    old.replaceWith(made);
    if (focus) (document.getElementById(focus) || made.querySelector("a.title")).focus();
  }

  function whole(page) {
    const picked = new Set(rowsOf(holder).filter(kept).map((row) => row.id));
    const focus = holder.contains(document.activeElement) ? document.activeElement.id : null;
    holder.replaceChildren(...page.cloneNode(true).childNodes);
    for (const row of rowsOf(holder)) if (picked.has(row.id)) row.querySelector("input[type=checkbox]").checked = true;
    if (focus && document.getElementById(focus)) document.getElementById(focus).focus();
    fresh.hidden = true;
  }

  function inPlace(page) {
    const made = new Map(rowsOf(page).map((row) => [row.id, row]));
    const there = rowsOf(holder);
    for (const old of there) {
      const next = made.get(old.id);
      if (!next) old.classList.add("gone");
      else if (old.innerHTML !== next.innerHTML) swap(old, next.cloneNode(true));
    }
    const known = new Set(there.map((row) => row.id));
    const news = [...made.keys()].filter((id) => !known.has(id)).length;
    fresh.textContent = news ? `${news} new \u2013 show` : "The list has changed \u2013 show";
  }

  // What stands above the rows: how many, and whether the boxes are well.
  function above(page) {
    const old = holder.querySelector(".count"), next = page.querySelector(".count");
    if (old.innerHTML === next.innerHTML) return;
    const focus = old.contains(document.activeElement) ? document.activeElement.id : null;
    old.replaceWith(next.cloneNode(true));
    if (focus) document.getElementById(focus)?.focus();
  }

  async function refresh() {
    const mine = ++asked;
    const answer = await fetch(holder.dataset.rows, {headers: {"HX-Request": "true"}});
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    const made = document.createElement("template");
    made.innerHTML = await answer.text();
    if (mine !== asked) return;  // a later answer was first
    latest = made.content;
    const order = (root) => rowsOf(root).map((row) => row.id).join();
    const busy = pointed || rowsOf(holder).some((row) => row.contains(document.activeElement));
    const same = order(latest) === order(holder);
    if (!same && !busy) return whole(latest);
    above(latest);
    inPlace(latest);
    fresh.hidden = same;
  }
  // Every row that there is, also those that wait behind the button.
  return {refresh, rows: () => rowsOf(latest || holder)};
}
