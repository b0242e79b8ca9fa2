"""What is said of a table of predictions while it is imported."""

from typing import Final

from errlens.analysis.confusion.label_space import (
    exchanged_labels,
    labels_and_predictions,
    renamed_classes,
)
from errlens.choices import Repeated
from errlens.classes.names import NO_CLASS
from errlens.commands.evaluate.label_space import describe_cycles
from errlens.commands.evaluate.spelling import show_spelling
from errlens.data.samples import Samples
from errlens.errors import some
from errlens.formats import counted, of
from errlens.imported.imported_predictions import ImportedPredictions
from errlens.imported.repetitions import Repetitions
from errlens.predictions.table import Predictions
from errlens.terminal import Screen, folder_named

_MOST_RENAMED: Final = 5  # classes named in warnings


def show_table(
    screen: Screen, table: ImportedPredictions, samples: Samples, repeated: Repeated
) -> None:
    """Say what the table holds, and what was made of several rows about one image."""
    what = "the predicted class" if table.prob is None else "the probability of every class"
    screen.remark(
        f"found {what} of {counted(len(samples), 'image')}; {counted(len(table.classes), 'class')} "
        f"named by {table.classes.source}"
    )
    for remark in table.remarks:
        screen.remark(remark)
    show_spelling(screen, table.spelling)
    _tell_where(screen, samples)
    unknown = int(table.unknown.sum())
    if unknown:
        screen.warn(f"{unknown} labels are none of the classes: not in the metrics")
    unlabelled = int((table.label == NO_CLASS).sum()) - unknown
    if unlabelled:
        screen.remark(f"{unlabelled} of them have no label: not in the metrics")
    if table.repetitions.images:
        _tell_repetitions(screen, table.repetitions, repeated)


def warn_of_other_names(screen: Screen, predictions: Predictions) -> None:
    """Warn where labels and predictions seem to have different names for the same classes."""
    classes = predictions.classes
    if cycles := exchanged_labels(predictions):
        screen.warn(
            f"labels and predicted classes seem exchanged: {describe_cycles(cycles, classes)}"
        )
    renamed_classes_found = renamed_classes(
        *labels_and_predictions(predictions), n_classes=len(classes)
    )
    for renamed in renamed_classes_found[:_MOST_RENAMED]:
        label, output = classes[renamed.label], classes[renamed.output]
        screen.warn(
            f"no image is predicted as {label!r}, and none is labelled {output!r}, but "
            f"{renamed.matched} of {renamed.n} {label!r} are predicted as {output!r}: if this is "
            "one class, give it one name in the table"
        )


def _tell_where(screen: Screen, samples: Samples) -> None:
    """Say how many of the images are there."""
    here, folder = int(samples.frame["size_bytes"].notna().sum()), folder_named(samples.root)
    if here:
        screen.remark(f"{of(here, len(samples))} images lie in {folder}")
    else:
        screen.remark(f"none of the images lies in {folder}; --root DIR says where they are")


def _tell_repetitions(screen: Screen, repeated: Repetitions, how: Repeated) -> None:
    """Say which images stand in several rows, and what was made of these."""
    about = f"{repeated.rows} rows are about {counted(repeated.images, 'image')}"
    paths = some(repeated.paths, most=3)
    if how == "count":
        screen.warn(
            f"{about}, and each row counts: {paths}; --repeated mean takes them as views of an "
            "image, --repeated first the first one"
        )
    else:
        taken = "the mean of their probabilities" if how == "mean" else "the first one"
        screen.remark(f"{about}, of which {taken} counts: {paths}")
    if n := repeated.contradicting:
        path, labels = repeated.contradiction
        screen.warn(
            f"{counted(n, 'image')} {'has' if n == 1 else 'have'} different labels in different "
            f"rows, of which at most one is right: {path!r} is {some(labels)}"
        )
