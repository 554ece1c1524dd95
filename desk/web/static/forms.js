// Forms go by themselves; what was typed stays until it is stored, over reloads, refusals and log-outs.
const told = document.getElementById("told");

export function say(text, bad = false) {
  told.textContent = text;
  told.className = bad ? "bad" : "good";
}

const drafts = () => document.querySelectorAll("[data-draft]");

export function watchForms({done}) {
  for (const field of drafts()) {
    const kept = localStorage.getItem("draft-" + field.dataset.draft);
    if (kept && !field.value) field.value = kept;
    field.addEventListener("input", () => localStorage.setItem("draft-" + field.dataset.draft, field.value));
  }
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset.act && form.id !== "bulk") return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form, event.submitter));
    const button = event.submitter;
    if (button) button.disabled = true;
    try {
      const answer = await fetch(form.getAttribute("action"), {method: "POST", body, headers: {"HX-Request": "true"}});
      const found = await answer.json();
      if (answer.ok) await stored(form, found, done);
      else await refused(form, answer.status, found, done);
    } catch {
      say("Not sent: the desk does not answer. What you typed is kept; try again.", true);
    } finally {
      if (button) button.disabled = false;
    }
  });
}

// What the case's state allows is offered. A form that somebody has begun stays: what is in it can still be copied.
export function offer() {
  const place = document.getElementById("case");
  if (!place) return;
  const may = place.dataset.may.split(" ");
  for (const form of document.querySelectorAll(".forms form")) form.hidden = !may.includes(form.dataset.act) && !begun(form);
  for (const group of document.querySelectorAll(".forms > :not(form)")) group.hidden = !group.querySelector("form:not([hidden])");
}

function begun(form) {
  return form.contains(document.activeElement) || [...form.querySelectorAll("[data-draft]")].some((field) => field.value);
}

async function stored(form, found, done) {
  if (found.results) {
    const bad = found.results.filter((one) => !one.done);
    for (const one of found.results) {
      const mark = one.done && document.getElementById(`pick-${one.case}`);
      if (mark) mark.checked = false;
    }
    say(`${found.results.length - bad.length} of ${found.results.length} done. ` + bad.map((one) => `Case ${one.case}: ${one.why}.`).join(" "), bad.length > 0);
  } else say(`Case ${found.case}: ${form.dataset.act.replace("_", " ")} stored; now ${found.state}.`);
  for (const field of form.querySelectorAll("[data-draft]")) localStorage.removeItem("draft-" + field.dataset.draft);
  if (form.closest(".forms")) form.reset();
  // A reset would unmark the cases, which belong to it, too.
  if (form.id === "bulk") for (const field of form.querySelectorAll("select, input:not([type=hidden])")) field.value = "";
  versions(found.version);
  await done();
}

async function refused(form, status, found, done) {
  if (status === 401) say("You are logged out. Log in in another tab; what you typed is kept here.", true);
  else if (status === 409) {
    const when = found.at ? " since " + new Date(found.at).toLocaleTimeString([], {timeZone: document.body.dataset.timezone}) : "";
    say(`Not done: ${found.error}${found.owner ? ` (${found.owner}${when})` : ""}. What you typed is kept; look, then send again.`, true);
    versions(found.version);
  } else say(`Not done: ${found.error}`, true);
  await done();
}

// A form that was sent once, or refused with who was first, may be sent again knowing that.
function versions(version) {
  if (version === undefined) return;
  for (const field of document.querySelectorAll(".forms input[name=version]")) field.value = String(version);
}
