"""Three curves over one time, as an SVG that follows the reader's light or dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, PANEL, GAP, LEFT, RIGHT, TOP = 900, 170, 46, 64, 150, 34
_STYLE = """
svg { background: #fff; font: 13px system-ui, sans-serif; fill: #222 }
.grid { stroke: #ddd } .c0 { stroke: #0b6e4f } .c1 { stroke: #b3391b } .c2 { stroke: #2456a6 }
.c3 { stroke: #8a5a00 } .c4 { stroke: #6b3fa0 } .t0 { fill: #0b6e4f } .t1 { fill: #b3391b }
.t2 { fill: #2456a6 } .t3 { fill: #8a5a00 } .t4 { fill: #6b3fa0 }
path { fill: none; stroke-width: 1.6 } .name { font-weight: 600 }
@media (prefers-color-scheme: dark) {
svg { background: #16181c; fill: #e4e4e4 } .grid { stroke: #3a3d44 }
.c0 { stroke: #5cd0a5 } .c1 { stroke: #ff8f73 } .c2 { stroke: #86b1ff } .c3 { stroke: #e2b04a }
.c4 { stroke: #c8a2ff } .t0 { fill: #5cd0a5 } .t1 { fill: #ff8f73 } .t2 { fill: #86b1ff }
.t3 { fill: #e2b04a } .t4 { fill: #c8a2ff } }
"""


@dataclass(frozen=True)
class Curve:
    """Values over the hours of the day, None where there is none."""

    name: str
    points: Sequence[tuple[float, float | None]]


@dataclass(frozen=True)
class Panel:
    """Curves with one unit, named in the title."""

    title: str
    curves: Sequence[Curve]


def svg(title: str, panels: Sequence[Panel], until: float) -> str:
    """The picture of panels over the hours from 0 to `until`."""
    height = TOP + len(panels) * (PANEL + GAP)
    body = "".join(_panel(panel, TOP + number * (PANEL + GAP), until) for number, panel in enumerate(panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title><style>{_STYLE}</style>{body}</svg>\n'
    )


def _panel(panel: Panel, top: int, until: float) -> str:
    values = [value for curve in panel.curves for _, value in curve.points if value is not None]
    most, step = _scale(max(values, default=1.0))
    parts = [f'<text class="name" x="{LEFT}" y="{top - 10}">{escape(panel.title)}</text>']
    for number in range(round(most / step) + 1):
        y = top + PANEL * (1 - number * step / most)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{number * step:g}</text>')
    for hour in range(0, math.floor(until) + 1, 4):
        x = _x(hour, until)
        parts.append(f'<text x="{x:.1f}" y="{top + PANEL + 17}" text-anchor="middle">{hour} h</text>')
    names = _spread([_y(_last(curve), most, top) for curve in panel.curves])
    for number, curve in enumerate(panel.curves):
        parts.append(f'<path class="c{number % 5}" d="{_path(curve, most, top, until)}"/>')
        x = WIDTH - RIGHT + 8
        name = escape(curve.name)
        parts.append(f'<text class="t{number % 5}" x="{x}" y="{names[number] + 4:.1f}">{name}</text>')
    return "".join(parts)


def _scale(highest: float) -> tuple[float, float]:
    """(the end of an axis, its step): four steps or so, of 1, 2 or 5 with noughts."""
    rough = max(highest, 1e-9) / 4
    ten = 10 ** math.floor(math.log10(rough))
    step = next(each * ten for each in (1, 2, 5, 10) if each * ten >= rough)
    return math.ceil(highest / step or 1) * step, step


def _x(hour: float, until: float) -> float:
    return LEFT + (WIDTH - RIGHT - LEFT) * hour / until


def _y(value: float, most: float, top: int) -> float:
    return top + PANEL * (1 - value / most)


def _last(curve: Curve) -> float:
    return next((value for _, value in reversed(curve.points) if value is not None), 0.0)


def _spread(places: list[float]) -> list[float]:
    """Moved downwards so that words do not lie on one another."""
    moved, lowest = dict[int, float](), -math.inf
    for number in sorted(range(len(places)), key=places.__getitem__):
        lowest = max(places[number], lowest + 15)
        moved[number] = lowest
    return [moved[number] for number in range(len(places))]


def _path(curve: Curve, most: float, top: int, until: float) -> str:
    path, pen = "", "M"
    for hour, value in curve.points:
        if value is None:
            pen = "M"
            continue
        path += f"{pen}{_x(hour, until):.1f} {_y(value, most, top):.1f}"
        pen = "L"
    return path
