"""`errlens evaluate`: predict every image and keep each prediction."""

from pathlib import Path

from errlens.analysis.accuracy.metrics import COLUMNS
from errlens.commands.evaluate import view
from errlens.commands.evaluate.advice import advise
from errlens.commands.evaluate.advice_view import show_advice
from errlens.commands.evaluate.class_order import check_class_order
from errlens.commands.evaluate.label_space import contradicts_labels
from errlens.commands.evaluate.options import EvaluateOptions
from errlens.commands.evaluate.remarks import warn_of_result
from errlens.commands.evaluate.result import Evaluation, check_bad_inputs, complete
from errlens.commands.evaluate.work import begin, prepare
from errlens.data.photos.oddities import Oddities, total
from errlens.formats import of, share
from errlens.model.predict import ShardPredictor, predict_missing
from errlens.model.weights.files import metadata_config
from errlens.model.weights.fitted_photos import known_photos
from errlens.run.folder import RunFolder
from errlens.terminal import Screen


def evaluate(options: EvaluateOptions, screen: Screen | None = None) -> Evaluation:
    """Predict every image of DATA and keep each prediction, right or wrong."""
    screen = screen or options.screen()
    predictor = start(options, screen)
    evaluation = predict_and_measure(predictor, options, screen)
    view.show_result(screen, evaluation, step="evaluate")
    advice = advise(predictor, evaluation, options, screen)
    show_advice(screen, advice)
    if not advice.diagnosis:
        view.show_next(screen, evaluation)
    view.print_json(screen, "evaluate", evaluation, **advice.as_dict())
    check_bad_inputs(evaluation, options.max_bad)
    return evaluation


def start(options: EvaluateOptions, screen: Screen) -> ShardPredictor:
    """Look at the data, load the model, and make the run folder, or go on with the one there is."""
    return begin(RunFolder(options.run_folder), options, prepare(options, screen))


def predict_and_measure(
    predictor: ShardPredictor, options: EvaluateOptions, screen: Screen
) -> Evaluation:
    """Predict whatever has no prediction yet, and measure what came out."""
    run = predictor.run
    with run.in_work():
        predict_missing(predictor, progress=screen.progress)
        predictions = run.read_predictions(COLUMNS)
        outputs = predictor.classifier.output_names
        if not contradicts_labels(screen, run, predictions, options, outputs=outputs):
            check_class_order(screen, run, predictions, predictor.classifier.classes, options)
        oddities = total(map(Oddities.from_dict, run.read_photo_counts()))
        evaluation = complete(run, predictions, oddities.as_dict())
    warn_of_result(screen, evaluation)
    if options.checkpoint:
        _warn_of_training_photos(screen, run, options.checkpoint)
    return evaluation


def _warn_of_training_photos(screen: Screen, run: RunFolder, checkpoint: Path) -> None:
    """Warn where the head of the checkpoint was fitted to some of the photos, by its own record."""
    hashes = run.read_predictions(("content_hash",)).table["content_hash"].drop_null().to_pylist()
    known, compared = known_photos(metadata_config(checkpoint), hashes)
    if known:
        whole = compared == len(hashes)
        share_known = of(known, compared) if whole else f"about {share(known / compared)} of the"
        screen.warn(
            f"{share_known} images are among those that the head of {checkpoint.name} was fitted "
            "to: how many of them are right says little of other photos"
        )
