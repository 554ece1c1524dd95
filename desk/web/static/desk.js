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
let due = 0;

async function refresh() {
  due = 0;
  try {
    if (list) await list.refresh();
    if (live) await htmx.ajax("GET", live.dataset.live, {target: live, swap: "innerHTML"});
    tick();
    marks();
    offer();
    await alarm.look();
    return true;
  } catch {
    return false;
  }
}

function soon(wait) {
  if (!due) due = setTimeout(refresh, wait);
}

function concerns(change) {
  if (change.kind === "case") return 120;
  if (change.kind === "box") return live && live.dataset.live === "/boxes/live" ? 1000 : 0;
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
alarm.look();
// Presence: that somebody looks is told by asking again.
if (document.getElementById("case")) setInterval(() => { if (!document.hidden) soon(0); }, 15000);
window.deskSay = say;
