// The page's parts, each in its file; nothing is inline, so that nothing that a field holds can run.
import {follow} from "./stream.js";
import {makeList} from "./list.js";
import {watchAlarm} from "./alarm.js";
import {offer, watchForms, say} from "./forms.js";
import {watchKeys} from "./keys.js";
import {watchMarks} from "./bulk.js";
import {tick} from "./clocks.js";

const list = makeList();
const live = document.getElementById("live-part");
const alarm = watchAlarm();
const marks = watchMarks();
let due = 0, dueAt = 0;

async function refresh() {
  clearTimeout(due);
  due = 0;
  try {
    if (list) await list.refresh();
    if (live) await swap();
    tick();
    marks();
    offer();
    await alarm.look(list?.rows());
    return true;
  } catch {
    return false;
  }
}

// What somebody has unfolded stays so; htmx keeps the focus, by its id.
async function swap() {
  const open = [...live.querySelectorAll("details[open]")].map((one) => one.id);
  await htmx.ajax("GET", live.dataset.live, {target: live, swap: "innerHTML"});
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
}

// What is urgent does not wait for what is not: a new case pages at once, though a box has just told of its health.
function soon(wait) {
  const at = Date.now() + wait;
  if (due && dueAt <= at) return;
  clearTimeout(due);
  dueAt = at;
  due = setTimeout(refresh, wait);
}

function concerns(change) {
  if (change.kind === "case") return 120;
  if (change.kind === "box") return live && live.dataset.live === "/boxes/live" ? 1000 : list ? 3000 : 0;
  const shown = document.getElementById("case") || document.getElementById("rows");
  return shown ? 3000 : 0;  // an utterance: the plots may follow at leisure
}

follow({
  change: (change) => { const wait = concerns(change); if (wait) soon(wait); },
  refetch: () => soon(0),
  poll: refresh,
});
watchForms({done: refresh});
watchKeys();
offer();
tick();
setInterval(tick, 10000);
alarm.look(list?.rows());
// Presence is told by asking again; and that a box fell silent, or that a snooze is over, no event tells.
const again = document.getElementById("case") ? 15000 : list || live ? 30000 : 0;
if (again) setInterval(() => { if (!document.hidden) soon(0); }, again);
window.deskSay = say;
