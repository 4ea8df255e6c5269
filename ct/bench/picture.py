"""Writes curves as an SVG file: panels side by side, both axes logarithmic, readable on light and on dark pages."""

import html
import math
from typing import NamedTuple

COLUMNS = 3
WIDTH, HEIGHT = 300, 210
LEFT, RIGHT, TOP, BOTTOM = 52, 22, 40, 34
STYLE = """text { font: 11px system-ui, sans-serif; fill: #333 } .title { font-size: 13px; font-weight: 600 }
.grid { stroke: #ccc; stroke-width: 1 } .line { fill: none; stroke-width: 2 } .end { text-anchor: end } .middle { text-anchor: middle }
.a { stroke: #0969da } .b { stroke: #bc4c00 } .pa { fill: #0969da } .pb { fill: #bc4c00 }
@media (prefers-color-scheme: dark) { text { fill: #ddd } .grid { stroke: #444 }
.a { stroke: #58a6ff } .b { stroke: #f0883e } .pa { fill: #58a6ff } .pb { fill: #f0883e } }"""


class Panel(NamedTuple):
    """Draws a panel. `curves` are at most two pairs of a label and points (x, y)."""

    title: str
    across: str
    curves: list


def draw(panels, description):
    rows = math.ceil(len(panels) / COLUMNS)
    size = f"{COLUMNS * WIDTH} {rows * HEIGHT}"
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img" aria-label="{html.escape(description)}">',
             f"<style>{STYLE}</style>"]
    for number, panel in enumerate(panels):
        x, y = number % COLUMNS * WIDTH, number // COLUMNS * HEIGHT
        parts += [f'<g transform="translate({x} {y})">', *draw_panel(panel), "</g>"]
    return "\n".join([*parts, "</svg>\n"])


def decades(values):
    """The powers of ten around the numbers, at least one decade."""
    low = math.floor(math.log10(min(values)))
    return low, max(math.ceil(math.log10(max(values))), low + 1)


def draw_panel(panel):
    points = [point for _, curve in panel.curves for point in curve]
    across, up = decades([x for x, _ in points]), decades([y for _, y in points])

    def at(value, ends, first, last):
        return first + (math.log10(value) - ends[0]) / (ends[1] - ends[0]) * (last - first)

    def left(value):
        return at(value, across, LEFT, WIDTH - RIGHT)

    def top(value):
        return at(value, up, HEIGHT - BOTTOM, TOP)

    yield f'<text class="title" x="{LEFT}" y="16">{html.escape(panel.title)}</text>'
    for power in range(up[0], up[1] + 1):
        y = top(10 ** power)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="end" x="{LEFT - 6}" y="{y + 4:.1f}">{short(10 ** power)}</text>'
    # At most six labels fit.
    for power in range(across[0], across[1] + 1, math.ceil((across[1] - across[0] + 1) / 6)):
        yield f'<text class="middle" x="{left(10 ** power):.1f}" y="{HEIGHT - BOTTOM + 16}">{short(10 ** power)}</text>'
    yield f'<text class="end" x="{WIDTH - RIGHT}" y="{HEIGHT - 4}">{html.escape(panel.across)}</text>'
    for mark, (label, curve) in zip("ab", panel.curves):
        line = " ".join(f"{left(x):.1f},{top(y):.1f}" for x, y in curve)
        yield f'<polyline class="line {mark}" points="{line}"/>'
        yield from (f'<circle class="p{mark}" cx="{left(x):.1f}" cy="{top(y):.1f}" r="3"><title>{short(x)}: {y:.3g}</title></circle>'
                    for x, y in curve)
        if label:
            yield f'<text x="{LEFT + 60 * "ab".index(mark)}" y="31"><tspan class="p{mark}">●</tspan> {html.escape(label)}</text>'


def short(value):
    """Formats a number as 1k, 10M or 0.01."""
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{letter}"
    return f"{value:g}"
