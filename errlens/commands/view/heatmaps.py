"""Heat maps of single images, by the model of the run; imported when the first is asked for."""

import io
from functools import cached_property, partial
from pathlib import Path
from typing import Final

from PIL import Image

from errlens.attribution.cases import Explainer, cases_of
from errlens.attribution.explained_model import ExplainedModel, MethodSettings
from errlens.attribution.targets import Wanted
from errlens.commands.explain.job import DEFAULT_ALPHA
from errlens.commands.explain.pictures import Looks, method_figure
from errlens.errors import InputError
from errlens.maps import NoMap
from errlens.model.reload import reload_classifier
from errlens.predictions.table import Predictions
from errlens.report.images.drawn import one_on_any_page
from errlens.report.thumbnails import as_webp
from errlens.run.folder import RunFolder

_LOOKS: Final = Looks(alpha=DEFAULT_ALPHA["errlens"], colormap=None, upsampling="bilinear")


class HeatMaps:
    """Explains images one by one. The model is loaded for the first, and stays.

    Args:
        run: A run with a model.
        images: All of its images, as for `attribution.cases.cases_of`.
        root: Where they lie.
        device: Where the model runs.
        trusted: Whether code that the run names may be run.
    """

    def __init__(
        self, run: RunFolder, images: Predictions, root: Path, *, device: str, trusted: bool
    ) -> None:
        self._run = run
        self._images = images
        self._root = root
        self._load = partial(reload_classifier, run.require_model(), device=device, trusted=trusted)

    def __call__(self, row: int, method: str) -> bytes:
        """Return a picture, as SVG, of what speaks for the classes of an image.

        Raises:
            UnfitMethod: The method cannot explain this network.
            InputError: The image was not predicted, or has no map.
        """
        wanted = Wanted(self._run.info.classes)
        cases = cases_of(self._run, self._images, [row], wanted)
        if not cases:
            raise InputError(f"row {row} was not predicted, so there is nothing to explain")
        [[explanation]] = self._explainer.explain(cases, [method])
        figure = method_figure(explanation, method, _LOOKS)
        if figure is None:
            reasons = [each.reason for each in explanation.maps[method] if isinstance(each, NoMap)]
            raise InputError(f"row {row} has no map: {reasons[0]}")
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png")
        with Image.open(drawn) as picture:
            webp = as_webp(picture.convert("RGB"))
            return one_on_any_page(drawn, webp, widest=picture.width)

    @cached_property
    def _explainer(self) -> Explainer:
        classifier = self._load()
        return Explainer(
            classifier=classifier,
            model=ExplainedModel.of(classifier),
            settings=MethodSettings(batch_size=classifier.good_batch_size),
            root=self._root,
            max_mb=self._run.info.max_file_mb,
        )
