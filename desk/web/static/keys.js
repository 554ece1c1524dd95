// The keyboard: single letters, off in a field and with any modifier; none closes a case.
const on = () => localStorage.getItem("keys") !== "off";

export function watchKeys() {
  const box = document.getElementById("keys-on");
  if (box) {
    box.checked = on();
    box.addEventListener("change", () => localStorage.setItem("keys", box.checked ? "on" : "off"));
  }
  document.addEventListener("keydown", (event) => {
    if (!on() || event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, textarea, select")) return;
    if (act(event.key)) event.preventDefault();
  });
}

function act(key) {
  const rows = [...document.querySelectorAll("li.row")];
  const here = rows.findIndex((row) => row.contains(document.activeElement));
  const place = rows[here] || document.getElementById("case");
  const offered = (id) => { const field = document.getElementById(id); return field && !field.closest("[hidden]") ? field : null; };
  const focus = (id) => { const field = offered(id); if (field) field.focus(); return Boolean(field); };
  switch (key) {
    case "j": case "k": {
      const next = rows[here < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, here + (key === "j" ? 1 : -1)))];
      if (next) next.querySelector("a.title").focus();
      return Boolean(next);
    }
    case "c": case "r": {
      const button = place && place.querySelector(`[data-key=${key}]`);
      if (button) button.click();
      return Boolean(button);
    }
    case "x": {
      const mark = rows[here] && rows[here].querySelector("input[type=checkbox]");
      if (mark) mark.click();
      return Boolean(mark);
    }
    case "b": return focus("bulk-claim");
    case "n": return focus("note");
    case "a": return focus("result");
    case "o": return focus("outcome");
    case "f": {
      const outcome = offered("outcome");
      if (outcome) outcome.value = "false_alarm";
      return focus("close-note");
    }
    case "g": location.assign("/"); return true;
    default: return false;
  }
}
