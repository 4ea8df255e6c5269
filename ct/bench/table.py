"""Formats figures as markdown: tables, the spread of several rounds, goals."""

import statistics


def print_table(head, rows):
    """A markdown table. Columns of numbers are right-aligned."""
    columns = [[str(row[column]) for row in rows if row[column] != ""] for column in range(len(head))]
    numbers = [bool(cells) and all(cell[0] in "0123456789-" for cell in cells) for cells in columns]
    print(f"| {' | '.join(head)} |")
    print(f"| {' | '.join('---:' if number else '---' for number in numbers)} |")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")
    print()


def milliseconds(seconds):
    return f"{seconds * 1000:.3f}" if seconds < 0.01 else f"{seconds * 1000:.1f}"


def spread(values, form="{:.1f}"):
    """Formats numbers as "median (min-max)"."""
    write = form.format if isinstance(form, str) else form
    return f"{write(statistics.median(values))} ({write(min(values))}-{write(max(values))})"


def verdict(values, goal):
    """Three cells: the measured spread, the goal, and whether the median meets it."""
    return spread(values, "{:.2f}"), f"<= {goal}", "met" if statistics.median(values) <= goal else "NOT met"
