"""What was run with kubectl, and what came of it."""

import shlex


class Row:
    """A run is a failure until its test says what it has seen."""

    def __init__(self, what, command):
        self.what = what
        self.command = command
        self.code = None
        self.result = "FAILED"


class Matrix:
    def __init__(self):
        self.rows = []

    def row(self, what, arguments):
        self.rows.append(Row(what, shlex.join(["kubectl", *arguments])))
        return self.rows[-1]

    def lines(self):
        """A Markdown table."""
        cells = [("what", "kubectl command", "exit code", "result")]
        cells += [(row.what, f"`{row.command}`", str(row.code), row.result) for row in self.rows]
        cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in cells]
        widths = [max(len(row[column]) for row in cells) for column in range(4)]
        lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in cells]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        return lines
