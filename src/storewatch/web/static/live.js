"use strict";
// Parts of a page that follow what happens: asked for every half a minute while somebody looks and does not type.
// What changed is swapped in place, and its gist said aloud. Without this a page is of when it was loaded.
(() => {
  const EVERY_MS = 30000;
  const tags = new Map();
  const live = (event) => {
    const source = event.detail.ctx.sourceElement;
    return source.matches("[data-live]") ? source : null;
  };
  const bare = (sentence) => sentence.replace(/\.$/, "");
  const busy = () =>
    String(getSelection()) !== "" || document.activeElement?.matches("input, select, textarea");
  const ask = () => {
    if (document.hidden || busy()) return;
    for (const part of document.querySelectorAll("[data-live]")) part.dispatchEvent(new Event("live"));
  };
  document.addEventListener("htmx:config:request", (event) => {
    const part = live(event);
    const tag = part && tags.get(part.getAttribute("hx-get"));
    if (tag) event.detail.ctx.request.headers["If-None-Match"] = tag;
  });
  document.addEventListener("htmx:before:response", (event) => {
    const part = live(event);
    if (!part) return;
    const tag = event.detail.ctx.response.headers.get("ETag");
    if (tag) tags.set(part.getAttribute("hx-get"), tag);
    else event.preventDefault(); // logged out, or in trouble: what is there stays, and says of when it is
  });
  let held = null;
  let gist = "";
  document.addEventListener("htmx:before:swap", (event) => {
    const part = live(event);
    if (!part) return;
    held = document.activeElement;
    gist = part.dataset.live;
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const part = live(event) && document.getElementById(event.detail.ctx.sourceElement.id);
    if (!part) return;
    if (held && !held.isConnected) {
      const head = document.querySelector("h1");
      head.tabIndex = -1; // what had the focus is gone
      head.focus({ preventScroll: true });
    }
    if (part.dataset.live === gist) return;
    document.getElementById("said").textContent = part.dataset.live;
    document.title = document.title.replace(bare(gist), bare(part.dataset.live));
  });
  document.addEventListener("visibilitychange", ask);
  setInterval(ask, EVERY_MS);
})();
