"""Are the class folders in the order of the outputs? The predictions tell, where they can."""

import numpy as np

from errlens.analysis.confusion.class_order import OrderHits, compare_orders
from errlens.analysis.confusion.label_space import labels_and_predictions
from errlens.classes.names import ClassNames
from errlens.commands.evaluate.options import EvaluateOptions
from errlens.data.labels import FROM_LABELS, order_is_ambiguous, timm_order
from errlens.formats import of
from errlens.predictions.table import Predictions
from errlens.run.folder import RunFolder
from errlens.terminal import Screen


def check_class_order(
    screen: Screen,
    run: RunFolder,
    predictions: Predictions,
    named: ClassNames,
    options: EvaluateOptions,
) -> None:
    """Warn where timm's order of the class folders may be the right one.

    Args:
        screen: Where it is said.
        run: What is evaluated; the other order is written into it where it may be needed.
        predictions: Those of the run.
        named: The class names, and where they come from: only class folders have an order.
        options: Those of the evaluation.
    """
    if named.source != FROM_LABELS or not order_is_ambiguous(named.names):
        return
    names = timm_order(named.names)
    label, pred = labels_and_predictions(predictions)
    hits = compare_orders(label, pred, np.array([named.names.index(name) for name in names]))
    in_use = "outputs are named in torchvision's order of the class folders"
    if hits.favours == "ours" or options.trust_labels or not hits.n:
        screen.detail(f"{in_use} {_hits(hits)}")
        return
    run.suggest_classes(names)
    place = run.path.with_name(f"{run.path.name}-relabelled")
    again = options.again(classes=run.suggested_classes_file, out=place)
    if hits.favours:
        screen.warn(f"{in_use}; timm's seems to be that of the model {_hits(hits)}: {again}")
    else:
        screen.warn(
            f"{in_use}; timm's differs, and too few images tell which is that of the model "
            f"{_hits(hits)}. For a model trained with timm's loader: {again}"
        )


def _hits(hits: OrderHits) -> str:
    """Say how many images are right in either order."""
    return f"({of(hits.ours, hits.n)} images are right, in timm's {of(hits.theirs, hits.n)})"
