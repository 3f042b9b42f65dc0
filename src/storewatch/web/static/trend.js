"use strict";
// The trend as a chart to zoom into, from the table below it, once it is asked for: the library is loaded then.
// Without this the picture of the server stays.
(() => {
  const number = (text) => (text.endsWith("%") ? parseFloat(text) : null);
  const read = (table) => {
    const first = Number(table.dataset.first) * 86400;
    const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
    return [rows.map((_, at) => first + at * 86400), rows.map((row) => number(row[1])), rows.map((row) => number(row[2]))];
  };
  const colour = (name) => {
    const probe = document.createElement("i");
    probe.className = name;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };
  const day = (_, at) =>
    at == null ? "–" : new Date(at * 1000).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
  const percent = (_, value) => (value == null ? "–" : `${value}%`);
  let drawn = null;
  const draw = () => {
    const figure = document.querySelector("[data-trend]");
    const table = figure && figure.querySelector("table[data-first]");
    if (!table || figure.classList.contains("drawn")) return;
    if (drawn) drawn.destroy();
    const data = read(table);
    const [up, paper, ink, edge, rule] = ["k-up", "k-paper", "k-ink", "k-edge", "k-rule"].map(colour);
    const axis = { stroke: ink, grid: { stroke: rule, width: 1 }, ticks: { stroke: rule, width: 1 }, font: "12px system-ui, sans-serif" };
    const known = data[1].filter((value) => value != null);
    if (!known.length) return;
    const low = Math.min(...known);
    const floor = [99, 98, 95, 90, 80, 50, 0].find((value) => low >= value);
    const points = (chart, series) => {
      const { ctx } = chart;
      for (let at = chart.series[0].idxs ? chart.series[0].idxs[0] : 0; at < data[0].length; at += 1) {
        const inside = data[0][at] >= chart.scales.x.min && data[0][at] <= chart.scales.x.max;
        if (data[1][at] == null || !inside) continue;
        ctx.beginPath();
        ctx.arc(chart.valToPos(data[0][at], "x", true), chart.valToPos(data[1][at], "y", true), 3 * devicePixelRatio, 0, 7);
        ctx.fillStyle = data[2][at] >= 60 ? up : paper;
        ctx.strokeStyle = up;
        ctx.lineWidth = 1.5 * devicePixelRatio;
        ctx.fill();
        ctx.stroke();
      }
      return false;
    };
    const place = document.createElement("div");
    figure.querySelector(".plot").after(place);
    figure.classList.add("drawn");
    const options = {
      width: figure.clientWidth,
      height: 200,
      tzDate: (at) => window.uPlot.tzDate(new Date(at * 1000), "UTC"),
      scales: { y: { range: [floor, 100] } },
      axes: [{ ...axis, values: (_, found) => found.map((at) => day(_, at).replace(/^\w+, /, "")) }, { ...axis, values: (_, found) => found.map((value) => `${value}%`), size: 52 }],
      series: [
        { label: "Day", value: day },
        { label: "Up", stroke: up, width: 2, value: percent, points: { show: points } },
        { label: "Coverage", show: true, scale: "c", stroke: edge, width: 0, value: percent, points: { show: false } },
      ],
      cursor: { y: false },
    };
    drawn = new window.uPlot(options, data, place);
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", "The days as a chart; the table below has each.");
    const note = figure.querySelector(".note");
    note.append(" Drag over days to zoom in, click twice to see all.");
  };
  const load = (figure) =>
    new Promise((done, failed) => {
      const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: figure.dataset.style });
      const script = Object.assign(document.createElement("script"), { src: figure.dataset.url, onload: done, onerror: failed });
      document.head.append(style, script);
    });
  const offer = () => {
    const figure = document.querySelector("[data-trend]");
    if (!figure || figure.querySelector(".zoom")) return;
    const button = Object.assign(document.createElement("button"), { className: "button zoom", textContent: "Zoom into the days" });
    button.addEventListener("click", async () => {
      if (!window.uPlot) await load(figure);
      button.remove();
      draw();
      figure.querySelector("summary").focus({ preventScroll: true });
    });
    figure.querySelector("details").before(button);
  };
  addEventListener("resize", () => drawn && drawn.setSize({ width: drawn.root.parentElement.clientWidth, height: 200 }));
  document.addEventListener("htmx:after:swap", offer);
  offer();
})();
