"use strict";
// One tab stop for a timeline or a calendar; the arrow keys go from piece to piece. Without this each piece is a link.
for (const group of document.querySelectorAll("[data-timeline]")) {
  const lanes = [...group.querySelectorAll("li.day, tr")].map((lane) => [...lane.querySelectorAll("a")]).filter((lane) => lane.length);
  const pieces = lanes.flat();
  if (!pieces.length) continue;
  const stop = (piece) => pieces.forEach((each) => each.setAttribute("tabindex", each === piece ? "0" : "-1"));
  stop(pieces.find((piece) => piece.hasAttribute("aria-current")) || pieces[pieces.length - 1]);
  const middle = (piece) => {
    const box = piece.getBoundingClientRect();
    return box.left + box.width / 2;
  };
  const beside = (piece, step) => {
    const row = lanes.findIndex((lane) => lane.includes(piece));
    for (let other = row + step; lanes[other]; other += step) {
      const near = (a, b) => (Math.abs(middle(b) - middle(piece)) < Math.abs(middle(a) - middle(piece)) ? b : a);
      if (lanes[other].length) return lanes[other].reduce(near);
    }
  };
  const goes = {
    ArrowRight: (piece) => pieces[pieces.indexOf(piece) + 1],
    ArrowLeft: (piece) => pieces[pieces.indexOf(piece) - 1],
    ArrowDown: (piece) => beside(piece, 1),
    ArrowUp: (piece) => beside(piece, -1),
    Home: () => pieces[0],
    End: () => pieces[pieces.length - 1],
  };
  group.addEventListener("keydown", (event) => {
    const go = goes[event.key];
    const piece = event.target.closest("a");
    if (!go || !piece || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const next = go(piece);
    if (next) {
      stop(next);
      next.focus();
    }
  });
  group.addEventListener("focusin", (event) => {
    const piece = event.target.closest("a");
    if (piece) stop(piece);
  });
  // What the piece under the pointer, or in focus, stands for: in a line that keeps its place.
  const told = group.querySelector("[data-told]");
  if (told) {
    const words = (target) => (target.closest("svg.lane a") || target).querySelector(":scope > title")?.textContent;
    const usual = "Point at a piece, or go to it by Tab and the arrow keys, to read it here.";
    const tell = (target) => (told.textContent = (target && words(target)) || usual);
    told.hidden = false;
    tell(null);
    group.addEventListener("focusin", (event) => tell(event.target));
    group.addEventListener("pointerover", (event) => words(event.target) && tell(event.target));
    group.addEventListener("pointerleave", () => tell(group.contains(document.activeElement) ? document.activeElement : null));
  }
}
