"""Classifiers made ready to be explained as a job wants it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from errlens.attribution.cases import Case, Explainer, Explanation, PhotoCases, case_before
from errlens.attribution.explained_model import ExplainedModel
from errlens.attribution.kept import Kept
from errlens.attribution.methods import load_method, method_names
from errlens.commands.explain.job import Job, Procedure
from errlens.commands.explain.options import ExplainOptions
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import UnfitOption
from errlens.figures.maps.heatmaps import SIDE
from errlens.model.classifier import Classifier
from errlens.model.reload import untrained_classifier, untrained_model
from errlens.terminal import Screen


def explainer_of(job: Job, classifier: Classifier, *, older: bool = False) -> Explainer:
    """Return a classifier with its settings; as in MATLAB's examples it may see the whole image.

    That of an `older` run is explained, but not studied.
    """
    how = job.how
    if how.looks.matlab:
        if not isinstance(classifier.preparation, Preprocessing):
            raise UnfitOption("--style matlab: a transform of one's own cannot be made to squash")
        whole = replace(classifier.preparation, crop_mode="squash", crop_pct=1.0)
        classifier = replace(classifier, preparation=whole)
    if how.on_original and not isinstance(classifier.preparation, Preprocessing):
        raise UnfitOption("--on original: what a transform of one's own crops is not known")
    model = ExplainedModel.of(classifier, layer=how.layer)
    if "winners" in how.studies and not older:
        model = replace(model, kept_sweeps=Kept())
    batch_size = how.batch_size or classifier.good_batch_size
    classifier.check_batch_size(batch_size)
    return Explainer(
        classifier=classifier,
        model=model,
        settings=replace(how.settings, batch_size=batch_size),
        root=job.root,
        complete=PhotoCases(model, job.wanted) if job.of_photos else None,
        photo_side=_photo_side(how),
        max_mb=job.max_mb,
    )


def _photo_side(how: Procedure) -> int | None:
    """Return how long the longest side of a photo may be that maps lie on; 0: as it is."""
    if not how.on_original:
        return None
    return 0 if how.overlay_only else 2 * SIDE


def fitting_methods(how: Procedure, model: ExplainedModel) -> Sequence[str]:
    """Return the methods asked for, or all that fit the network, but for slow ones."""
    return how.methods or [
        name
        for name in method_names()
        if not (method := load_method(name)).slow and not method.unsupported(model)
    ]


def explanations(
    cases: Sequence[Case],
    explainer: Explainer,
    older: Explainer | None,
    methods: Sequence[str],
    step: int | None,
) -> Iterator[list[Explanation]]:
    """Yield a few explained images at a time, `step` at most.

    Each has what an older network sees in it, where there is one to hold this one against.
    """
    if older is None:
        yield from explainer.explain(cases, methods, at_most=step)
        return
    classes = explainer.classifier.classes, older.classifier.classes
    of_older = [case_before(case, *classes) for case in cases]
    step = min(explainer.settings.batch_size, older.settings.batch_size, step or len(cases))
    both = zip(
        explainer.explain(cases, methods, at_most=step),
        older.explain(of_older, methods, at_most=step),
        strict=True,
    )
    for batch in both:
        yield [new._replace(before=old) for new, old in zip(*batch, strict=True)]


def bare_model(options: ExplainOptions, screen: Screen) -> ExplainedModel:
    """Return a network without its weights: enough to see which methods fit."""
    if options.model:
        classifier = untrained_model(options.model)
    else:
        info = options.open_run(screen).require_model()
        classifier = untrained_classifier(info, trusted=options.trust_run)
    return ExplainedModel.of(classifier, layer=options.layer)
