"""The images of a run that its model predicted, each content once, and what is known of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from errlens.commands.options.selecting import ImagesOption
from errlens.model.asking.hiding import AskedImage
from errlens.run.folder import RunFolder

_FACTS: Final = (
    "row", "sample_id", "path", "content_hash", "label", "label_name", "pred", "pred_name",
    "correct",
)  # fmt: skip

Facts = Mapping[str, Any]  # what is known of an image, by column


def facts_of(run: RunFolder) -> list[dict[str, Any]]:
    """Return what is known of each image that was predicted, of copies the first, in plan order.

    `class_name` is its class, or what was predicted where that is not known; `superclass` is that
    of this class.
    """
    rows = run.read_predictions(_FACTS).table.to_pylist()
    by_content: dict[bytes, dict[str, Any]] = {}
    for facts in rows:
        if facts["pred"] is not None:
            by_content.setdefault(facts["content_hash"] or facts["path"], facts)
    parents = run.info.superclasses
    for facts in by_content.values():
        kind = "pred" if facts["label"] is None else "label"
        facts["class_name"] = facts[f"{kind}_name"]
        facts["superclass"] = parents.name_of(facts[kind]) if parents else None
    return list(by_content.values())


def asked_images(
    images: Sequence[Facts], options: ImagesOption, run: RunFolder
) -> list[AskedImage]:
    """Return the files of images, wherever they lie now."""
    root = options.images_root(run)
    return [AskedImage(root / facts["path"], facts["content_hash"]) for facts in images]
