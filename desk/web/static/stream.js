// One stream a browser: the tab that holds the lock listens and passes on, so that a seventh tab is no different from the first.
const STALE_MS = 13000, POLL_MS = 10000, AGAIN_MS = [500, 1000, 2000, 5000, 10000];
const badge = document.getElementById("live");

export function follow({change, refetch, poll}) {
  let heard = 0, polled = 0, last = "", tries = 0, source = null;
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("undertone-desk") : null;

  function show() {
    const stale = Date.now() - heard > STALE_MS;
    const text = stale ? (heard ? "Stale" : "Connecting") : "Live";
    if (badge && badge.textContent !== text) {
      badge.textContent = text;
      badge.className = stale ? "badge stale" : "badge live";
    }
    return stale;
  }

  function take(event) {
    const was = heard && Date.now() - heard > STALE_MS;
    heard = Date.now();
    if (event.type === "change") change(event.data);
    // After a silence nobody knows what was missed.
    if (event.type === "refetch" || was) refetch();
    show();
  }

  function pass(type, data) {
    take({type, data});
    if (channel) channel.postMessage({type, data});
  }

  function open() {
    if (source) source.close();
    source = new EventSource("/stream" + (last ? "?last=" + last : ""));
    source.addEventListener("beat", (event) => { last = event.lastEventId || last; tries = 0; pass("beat", {}); });
    source.addEventListener("refetch", () => pass("refetch", {}));
    source.addEventListener("change", (event) => { last = event.lastEventId || last; pass("change", JSON.parse(event.data)); });
    source.onerror = () => {
      // The browser tries again by itself after a lost connection, but never after a 503.
      if (source.readyState === EventSource.CLOSED) setTimeout(open, AGAIN_MS[Math.min(tries++, AGAIN_MS.length - 1)]);
    };
  }

  if (channel) channel.onmessage = (message) => take(message.data);
  if (channel && navigator.locks) {
    navigator.locks.request("undertone-desk-stream", () => { open(); return new Promise(() => {}); });
  } else {
    if (!document.hidden) open();
    document.addEventListener("visibilitychange", () => {
      if (document.hidden && source) { source.close(); source = null; } else if (!source) open();
    });
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { show(); refetch(); } });
  window.addEventListener("online", () => { if (source) open(); refetch(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) refetch(); });
  setInterval(async () => {
    // A proxy that holds the stream back: ask, until it flows.
    if (!show() || document.hidden || Date.now() - polled < POLL_MS) return;
    polled = Date.now();
    if (await poll() && badge) badge.title = "Fetched at " + new Date().toLocaleTimeString([], {timeZone: document.body.dataset.timezone});
  }, 1000);
}
