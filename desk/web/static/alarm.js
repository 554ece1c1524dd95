// Who is paged: at first sight, or when it got graver, until page_until; mine and unassigned; once a browser.
export function watchAlarm() {
  const button = document.getElementById("alarm");
  const me = document.body.dataset.person;
  const title = document.title;
  let sound = null;

  function state() {
    const on = sound && sound.state === "running";
    if (!button) return;
    button.textContent = on ? "Sound is on" : "Sound is off: turn on";
    button.setAttribute("aria-pressed", String(Boolean(on)));
  }

  button?.addEventListener("click", async () => {
    // Browsers let a page make a sound only after a gesture like this one.
    if (sound && sound.state === "running") await sound.suspend();
    else {
      sound = sound || new AudioContext();
      await sound.resume();
      beep(0.05);
      if ("Notification" in window && Notification.permission === "default") Notification.requestPermission();
    }
    state();
  });

  function beep(loud) {
    if (!sound || sound.state !== "running") return;
    const tone = sound.createOscillator(), gain = sound.createGain();
    gain.gain.value = loud;
    tone.frequency.value = 660;
    tone.connect(gain).connect(sound.destination);
    tone.start();
    tone.stop(sound.currentTime + 0.25);
  }

  function page(row) {
    beep(0.2);
    if ("Notification" in window && Notification.permission === "granted" && document.hidden) {
      new Notification(row.querySelector("a.title").textContent, {tag: row.id, body: row.querySelector(".why").textContent.trim().slice(0, 120)});
    }
  }

  // `rows`: those of the list; without one they are fetched.
  async function look(rows) {
    if (!rows) {
      const answer = await fetch("/queue/rows", {headers: {"HX-Request": "true"}});
      if (!answer.ok || answer.redirected) return;
      const made = document.createElement("template");
      made.innerHTML = await answer.text();
      rows = [...made.content.querySelectorAll("li.row")];
    }
    let waiting = 0;
    for (const row of rows) {
      if (row.dataset.owner && row.dataset.owner !== me) continue;
      waiting += row.dataset.owner ? 0 : 1;
      const key = "paged-" + row.dataset.case, level = Number(row.dataset.level);
      if (level <= Number(localStorage.getItem(key) || 0)) continue;
      localStorage.setItem(key, String(level));
      if (row.dataset.pageUntil && Date.parse(row.dataset.pageUntil) > Date.now()) page(row);
    }
    document.title = waiting ? `(${waiting}) ${title}` : title;
  }
  state();
  return {look};
}
