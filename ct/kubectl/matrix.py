"""What was run with kubectl, and what came of it."""

import shlex


# Longer words of a command are cut.
WORD = 64


class Row:
    """A run is a failure until its test says what it has seen."""

    def __init__(self, what, arguments):
        self.what = what
        self.arguments = arguments
        self.code = None
        self.result = "FAILED"

    def command(self):
        return " ".join(["kubectl"] + [quoted(word if len(word) <= WORD else word[:WORD] + "...") for word in self.arguments])


def quoted(word):
    """As one would type it."""
    if " " in word and not set(word) & set('"$`\\'):
        return f'"{word}"'
    return shlex.quote(word)


class Matrix:
    def __init__(self):
        self.rows = []

    def row(self, what, arguments):
        self.rows.append(Row(what, arguments))
        return self.rows[-1]

    def lines(self, pod):
        """A Markdown table, with POD for the name of the pod."""
        cells = [("what", "kubectl command", "exit code", "result")]
        cells += [(row.what, f"`{row.command().replace(pod, 'POD')}`", str(row.code), row.result) for row in self.rows]
        cells = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in cells]
        widths = [max(len(row[column]) for row in cells) for column in range(4)]
        lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in cells]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        return lines
