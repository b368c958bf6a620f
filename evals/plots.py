"""The plots of a report, as SVG that stands in the page and takes the colour of its text."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from evals.scores import RECALL_DEPTHS
from evals.statistics import Rate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

_TEXT = "#010203"
"""Stands for the page's own text colour, and is replaced by it."""
_LINE = "#3b7dd8"
_MARK = "#d9622b"
_SIZE = (4.6, 3.0)  # inches; at this size the labels stay readable on a phone


def plot_risk_coverage(curve: Sequence[tuple[float, float]]) -> str:
    """Share of wrong answers against the share of questions answered, most confident first."""
    with _drawing() as (axes, svg):
        coverage, risk = [point[0] for point in curve], [point[1] for point in curve]
        axes.step(coverage, risk, where="post", color=_LINE)
        if curve:
            axes.plot(coverage[-1:], risk[-1:], "o", color=_MARK)
            axes.annotate(
                "all answers given", (coverage[-1], risk[-1]), (-6, 7), textcoords="offset points", ha="right"
            )
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="share of questions answered", ylabel="share of those wrong")
    return svg.getvalue()


def plot_recall(rates: Sequence[Rate]) -> str:
    """Evidence recall at each depth, with intervals."""
    with _drawing() as (axes, svg):
        values = [rate.value or 0.0 for rate in rates]
        below = [value - (value if rate.low is None else rate.low) for value, rate in zip(values, rates, strict=True)]
        above = [(value if rate.high is None else rate.high) - value for value, rate in zip(values, rates, strict=True)]
        names = [str(depth) for depth in RECALL_DEPTHS]
        axes.bar(names, values, width=0.6, color=_LINE)
        axes.errorbar(names, values, yerr=[below, above], fmt="none", ecolor=_TEXT, capsize=4)
        for place, value in enumerate(values):
            axes.annotate(f"{value:.2f}", (place, 0.03), ha="center", color="white")
        axes.set(ylim=(0, 1), xlabel="passages looked at (k)", ylabel="evidence found")
    return svg.getvalue()


def plot_latency(totals: Sequence[float], p50: float, p95: float) -> str:
    """Histogram of the time to the end of an answer; milliseconds in, seconds shown."""
    with _drawing() as (axes, svg):
        axes.hist([total / 1000 for total in totals], bins=min(30, max(5, len(totals) // 5)), color=_LINE)
        for name, value in (("p50", p50), ("p95", p95)):
            axes.axvline(value / 1000, color=_MARK, linestyle="--")
            axes.annotate(
                name, (value / 1000, 0.93), (4, 0), xycoords=("data", "axes fraction"), textcoords="offset points"
            )
        axes.set(xlabel="seconds to the end of the answer", ylabel="questions")
        axes.set_xlim(left=0)
        axes.margins(y=0.15)
    return svg.getvalue()


def plot_tradeoff(points: Sequence[tuple[int, float, Mapping[str, Rate]]]) -> str:
    """The primary scores over the median time to the end of an answer; milliseconds in, seconds shown.

    Args:
        points: For each setting the sentences read, the median time, and the scores by name.
    """
    with _drawing() as (axes, svg):
        seconds = [time / 1000 for _, time, _ in points]
        for name, style in zip(points[0][2] if points else (), ("o-", "s--", "^:"), strict=False):
            values = [rates[name].value or 0.0 for _, _, rates in points]
            axes.plot(seconds, values, style, label=name.replace("_", " "))
        for (sentences, _, _), second in zip(points, seconds, strict=True):
            axes.annotate(f"{sentences} read", (second, 0.02), ha="center", xycoords=("data", "axes fraction"))
        axes.set(xlabel="median seconds to the end of an answer", ylim=(0, 1))
        axes.margins(x=0.1)
        axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 0.08))
    return svg.getvalue()


@contextmanager
def _drawing() -> Iterator[tuple[Axes, io.StringIO]]:
    """Axes to draw on; afterwards the text holds the SVG element."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    svg = io.StringIO()
    coloured = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color", "grid.color")
    style: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "dossier",
        "font.family": "sans-serif",
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.2,
        **dict.fromkeys(coloured, _TEXT),
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.subplots()
        axes.set_axisbelow(True)
        yield axes, svg
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg.write(_as_element(drawn.getvalue()))


def _as_element(document: str) -> str:
    """The svg element as wide as its place, without metadata and without the ids that nothing refers to."""
    element = document[document.index("<svg") :].replace(_TEXT, "currentColor")
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = re.sub(r'(<svg\b[^>]*?) width="[^"]*"', r'\1 width="100%"', element, count=1)
    element = re.sub(r'(<svg\b[^>]*?) height="[^"]*"', r"\1", element, count=1)
    return re.sub(r' id="([^"]*)"', lambda match: match[0] if f"#{match[1]}" in element else "", element)
