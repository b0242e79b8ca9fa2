"""`errlens network probe`: what can be told of classes from the features of a network."""

import dataclasses
from typing import NamedTuple

from errlens.classes.names import ClassNames
from errlens.commands.evaluate.remarks import show_samples
from errlens.commands.network.probe import view
from errlens.commands.network.probe.images import classes_of, features_of, labelled_paths
from errlens.commands.network.probe.layers import check_asked, probe_layers
from errlens.commands.network.probe.options import ProbeOptions
from errlens.commands.network.probe.result import LayerProbe
from errlens.formats import counted
from errlens.network.probe import (
    Head,
    check_target,
    fit_head,
    require_linear_head,
    save_head,
    with_head,
)
from errlens.terminal import Screen


class Probe(NamedTuple):
    """A head that was fitted, and the classes it tells apart."""

    head: Head
    classes: ClassNames


def probe(options: ProbeOptions, screen: Screen | None = None) -> Probe | LayerProbe:
    """Fit a linear head to the classes of DATA, on the features of a network left as it is.

    Or probe its layers, if that is asked for.
    """
    screen = screen or options.screen()
    check_asked(options)
    if options.of_layers:
        return probe_layers(options, screen)
    head, classes = fitted_probe(options, screen)
    view.show_head(screen, options, head)
    view.print_json(screen, options, head, classes)
    return Probe(head, classes)


def fitted_probe(options: ProbeOptions, screen: Screen) -> Probe:
    """Fit the head and save the network with it."""
    assert options.save_head is not None  # noqa: S101 - else it was refused
    # Which images, of which classes?
    samples = options.find_samples(seed=options.seed)
    show_samples(screen, samples)
    classes, label = classes_of(options, samples)

    # What does the network see in them?
    check_target(options.save_head, source=options.checkpoint)
    body = dataclasses.replace(options, classes=None)  # they name the new outputs, not the old
    classifier = body.load_classifier(labels=(), device=options.device, new_outputs=len(classes))
    for remark in classifier.network.remarks:
        screen.remark(remark)
    features = features_of(options, screen, classifier, labelled_paths(samples, label))
    require_linear_head(classifier, features)

    # Which head tells the classes apart?
    n_features = features.features.shape[1]
    screen.remark(f"fitting {counted(len(classes), 'class')} to {counted(n_features, 'feature')}")
    head = fit_head(features.features, label[features.read], classes, seed=options.seed)
    save_head(
        options.save_head,
        with_head(classifier, head),
        classifier,
        classes,
        content_hashes=features.content_hashes,
    )
    return Probe(head, classes)
