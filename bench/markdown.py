"""Markdown tables."""


def table(title, header, lines):
    """A table under a third-level heading; cells are texts."""
    rule = ["---"] * len(header)
    return "\n".join([f"### {title}", "", *("| " + " | ".join(cells) + " |" for cells in [header, rule, *lines]), ""])
