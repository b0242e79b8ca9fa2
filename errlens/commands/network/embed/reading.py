"""The features that a map is of: as the run kept them, or asked of its model again."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from errlens.analysis.embedding.neighbours import Others, nearest_in_parts, neighbour_table
from errlens.analysis.embedding.points import Points, kept_features, points_of, predicted_images
from errlens.analysis.mistakes.neighbours import Features
from errlens.commands.network.embed.options import EmbedOptions
from errlens.data.photos.loading import available_cores
from errlens.data.training import Training, training_samples
from errlens.errors import UnfitModel
from errlens.model.reload import reload_classifier
from errlens.network.embed.asked_features import Asker
from errlens.run.folder import RunFolder
from errlens.terminal import Screen


@dataclass(frozen=True)
class Reader:
    """A run, and the model of it, which is loaded when it is asked for."""

    run: RunFolder
    options: EmbedOptions
    screen: Screen

    @cached_property
    def asker(self) -> Asker:
        """The model of the run.

        Raises:
            NoModel: The predictions were made elsewhere.
        """
        info, options = self.run.require_model(), self.options
        classifier = reload_classifier(info, device=options.device, trusted=options.trust_run)
        batch_size = options.batch_size or classifier.good_batch_size
        classifier.check_batch_size(batch_size)
        alone = classifier.interface.keeps_tensors or classifier.device.type != "cpu"
        workers = options.workers or (1 if alone else available_cores())
        return Asker(classifier, batch_size, workers, options.threads, info.max_file_mb)

    @cached_property
    def training(self) -> Training:
        """The images that the model was trained on.

        Raises:
            MissingInput: There is no such folder or file.
            UnfitOption: It has no image of a class of the run.
        """
        assert self.options.train is not None  # noqa: S101 - for the type checker
        return training_samples(self.options.train, self.run.info.classes)

    def points(self) -> Points:
        """Return the images of the run with their features.

        Raises:
            NoModel: It has no features, and no model to ask for them.
            UnfitModel: Its network has none.
        """
        images = predicted_images(self.run)
        features, read = kept_features(self.run), None
        if features is None:
            root = self.options.images_root(self.run)
            paths = [root / path for path in images["path"].to_pylist()]
            asker = self.asker
            with self.screen.progress("reading features", total=len(paths)) as advance:
                features, read = asker.all_of(
                    paths, images["content_hash"].to_pylist(), advance=advance
                )
        if len(images) and not features.shape[1]:
            raise UnfitModel(
                f"the network of {str(self.run.path)!r} has no linear layer that gives its "
                "outputs: there are no features before them"
            )
        return points_of(images, features, read)

    def among_training(self, points: Points, errors: pd.DataFrame) -> tuple[pd.DataFrame, int]:
        """Return the neighbours of errors among training images, and how many of these were read.

        Raises:
            MissingInput: As of `training`.
            UnfitOption: As well.
        """
        training = self.training
        if not len(errors):  # then nobody needs to know what they are
            return neighbour_table(errors, [], Others("training", [], [], [])), 0
        asker = self.asker
        names = training.frame["path"].tolist()
        hashes: list[bytes | None] = [None] * len(names)
        n_read = 0

        def parts() -> Iterator[Features]:
            nonlocal n_read
            paths = [training.root / name for name in names]
            for part in asker.parts(paths, advance=advance):
                n_read += len(part.places)
                for place, content in zip(part.places.tolist(), part.content_hashes, strict=True):
                    hashes[place] = content
                yield Features(part.places, part.features)

        queries = points.features[errors["place"]]
        with self.screen.progress("reading training images", total=len(names)) as advance:
            nearest = nearest_in_parts(queries, parts(), most=self.options.neighbours)
        others = Others("training", names, training.frame["label_name"].tolist(), hashes)
        return neighbour_table(errors, nearest, others), n_read
