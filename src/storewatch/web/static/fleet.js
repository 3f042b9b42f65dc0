"use strict";
// What is swapped in is said aloud, and the focus is not lost. Without this each link and form loads its page.
(() => {
  const say = (words) => {
    const place = document.getElementById("said");
    if (place) place.textContent = words;
  };
  let held = "";
  const follows = (event) => event.detail.ctx.sourceElement.matches("[data-live]"); // live.js sees to these
  document.addEventListener("htmx:before:swap", (event) => {
    if (follows(event)) return;
    held = document.activeElement ? document.activeElement.id : "";
  });
  document.addEventListener("htmx:after:swap", (event) => {
    if (follows(event)) return;
    const head = document.getElementById("h-list");
    if (held && head && !document.getElementById(held)) {
      head.tabIndex = -1; // the link is gone: there is no further page
      head.focus({ preventScroll: true });
    }
    const told = document.getElementById("told");
    const answer = document.querySelector("h1").textContent;
    say(`${answer} ${head ? head.textContent : ""}: ${told ? told.textContent : "no store is like that"}`);
  });
  document.addEventListener("click", async (event) => {
    const share = event.target.closest("#share");
    if (!share || !navigator.clipboard || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    await navigator.clipboard.writeText(location.href);
    share.textContent = "Address copied";
    say("The address of this view was copied");
  });
})();
