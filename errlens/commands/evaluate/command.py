"""`errlens evaluate`: predict every image and keep each prediction."""

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
from errlens.model.predict import ShardPredictor, predict_missing
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
    return evaluation
