"""The table of images that were swept over, a row an image."""

from collections.abc import Mapping
from typing import Any, Final

from errlens.analysis.occlusion.sentences import Described
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, WHOLE, Columns

# `row` is empty of a photo that is of no run. Places are the middle of the square, in pixels of the
# input. `probability` is that of `class_name` without a square. Shares of falls are empty where
# nothing falls by enough.
OCCLUSION_COLUMNS: Final[Columns] = {
    "row": NUMBER, "sample_id": TEXT, "label_name": TEXT, "pred_name": TEXT, "confidence": NUMBER,
    "layer": TEXT, "channel": WHOLE,
    "activity": NUMBER, "lowest_activity": NUMBER, "lowest_activity_x": NUMBER,
    "lowest_activity_y": NUMBER,
    "class_name": TEXT, "probability": NUMBER, "lowest_probability": NUMBER,
    "lowest_probability_x": NUMBER, "lowest_probability_y": NUMBER, "highest_probability": NUMBER,
    "highest_probability_x": NUMBER, "highest_probability_y": NUMBER,
    "n_positions": WHOLE, "other_label_share": NUMBER, "true_label_share": NUMBER,
    "object_area": NUMBER, "object_touched": NUMBER, "object_share": NUMBER,
    "touched_share": NUMBER, "predicted_object_share": NUMBER,
    "activity_object_share": NUMBER, "peak_on_object": TRUTH,
    "match": NUMBER, "match_p": NUMBER, "projection_hidden": NUMBER, "activity_lost_there": NUMBER,
    "activity_lost_median": NUMBER, "projection": TEXT,
    "file": TEXT,
}  # fmt: skip


def row_of(
    image: Described, facts: Mapping[str, Any], *, label: int | None, projection: str | None
) -> dict[str, Any]:
    """Return the row of an image.

    Args:
        image: What was measured.
        facts: `row`, `sample_id`, `label_name` and `file`.
        label: The true class, if it is known.
        projection: How the unit was carried back to the pixels, if it was.
    """
    occluded, on_object, match = image.occluded, image.on_object, image.match
    extremes = {
        "lowest_activity": occluded.lowest(occluded.activity),
        "lowest_probability": occluded.lowest(occluded.probability),
        "highest_probability": occluded.highest(occluded.probability),
    }
    row = {
        **facts,
        "pred_name": image.names[occluded.pred_unoccluded],
        "confidence": occluded.confidence,
        "layer": image.layer,
        "channel": image.channel,
        "activity": occluded.activity_unoccluded,
        "class_name": image.names[occluded.followed],
        "probability": occluded.probability_unoccluded,
        "n_positions": occluded.n,
        "other_label_share": float(occluded.other_label.mean()),
        "true_label_share": None if label is None else float((occluded.pred == label).mean()),
        "object_area": on_object and on_object.area,
        "object_touched": on_object and on_object.touched,
        "object_share": on_object and on_object.probability and on_object.probability.on,
        "touched_share": on_object and on_object.probability and on_object.probability.touching,
        "predicted_object_share": on_object and on_object.predicted and on_object.predicted.on,
        "activity_object_share": on_object and on_object.activity and on_object.activity.on,
        "peak_on_object": on_object and on_object.peak,
        "match": match and match.correlation,
        "match_p": match and match.p_value,
        "projection_hidden": match and match.hidden,
        "activity_lost_there": match and match.lost_there,
        "activity_lost_median": match and match.lost_median,
        "projection": projection,
    }
    for name, extreme in extremes.items():
        row |= {name: extreme.value, f"{name}_x": extreme.x, f"{name}_y": extreme.y}
    return {name: row[name] for name in OCCLUSION_COLUMNS}
