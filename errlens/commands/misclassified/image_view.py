"""How all that is known of one image looks on the terminal."""

from errlens.analysis.mistakes.image_page import ImagePage
from errlens.formats import file_size, number, probability
from errlens.terminal import Screen


def show_image(screen: Screen, page: ImagePage) -> None:
    """Print everything that is known of one image."""
    facts = page.facts
    rows = [(name, value) for name, value in _lines(page).items() if value]
    screen.say()
    heads = (f"row {facts['row']}", f"<{facts['path']}")
    screen.table(heads, rows, prose=heads[1:])
    if page.top:
        screen.say()
        top = [
            (name, probability(prob), "true" if name == facts["label_name"] else "")
            for name, prob in page.top
        ]
        screen.table(("most probable", ">probability", ""), top)
    if page.alike is not None:
        screen.say()
        alike = [
            (str(image.row), image.path, image.label_name, number(image.similarity))
            for image in page.alike
        ]
        screen.table((">row", "nearest that are right", "class", ">similarity"), alike)


def _lines(page: ImagePage) -> dict[str, str | None]:
    """Return what is written of an image by what it is called; nothing where it is not known."""
    facts = page.facts
    rank = f", rank {facts['label_rank']}" if facts["label_rank"] else ""
    size = f"{facts['width']} x {facts['height']} pixels" if facts["width"] else None
    size_on_disk = None if page.size_bytes is None else file_size(page.size_bytes)
    numbers = {
        name: "" if facts[name] is None else number(facts[name])
        for name in ("margin", "loss", "entropy")
    }
    return {
        "status": facts["status"] if facts["status"] != "ok" else None,
        "reason": facts["error"],
        "true": _class(facts["label_name"], facts["super_label"], facts["label_prob"]) + rank,
        "predicted": _class(facts["pred_name"], facts["super_pred"], facts["confidence"]),
        **numbers,
        "size": ", ".join(filter(None, [size, size_on_disk])),
        "split": facts["split"],
        "sha256": facts["content_hash"] and f"{facts['content_hash']}...",
        **{column: str(value) for column, value in page.extra.items()},
    }


def _class(name: str | None, superclass: str | None, prob: float | None) -> str:
    """Write a class with its superclass and its probability, where these are known."""
    if name is None:
        return "unknown"
    parent = f" ({superclass})" if superclass else ""
    return f"{name}{parent}" + (f", p {probability(prob)}" if prob is not None else "")
