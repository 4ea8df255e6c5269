"""Label and field selectors: `a=b,c!=d`, for labels also `e` and `!f`."""


def matches(selector, values):
    """Whether `values` meet all terms of the selector; an empty one takes everything."""
    return all(meets(term.strip(), values) for term in selector.split(",") if term.strip())


def meets(term, values):
    if "!=" in term:
        key, value = term.split("!=", 1)
        return values.get(key) != value
    if "=" in term:
        key, value = term.replace("==", "=").split("=", 1)
        return values.get(key) == value
    if term.startswith("!"):
        return term[1:] not in values
    return term in values
