"""`errlens network activations`: what the channels of a layer respond to in an image."""

from typing import Any

from errlens.commands.network.activations import view
from errlens.commands.network.activations.asked import asked_size
from errlens.commands.network.activations.options import ActivationsOptions
from errlens.commands.network.activations.photos import Seen, load, subject_of
from errlens.commands.network.activations.pictures import channels_figure, grid_figure
from errlens.commands.network.activations.result import ActivationsResult
from errlens.commands.network.activations.study import Study, study
from errlens.commands.network.images import ModelAndImages
from errlens.run.file_names import file_name
from errlens.run.results import renewed_folder
from errlens.terminal import Screen


def activations(options: ActivationsOptions, screen: Screen | None = None) -> ActivationsResult:
    """Show the channels of a layer in one image, or in two."""
    screen = screen or options.screen()
    subject = subject_of(options, screen)
    photos = load(subject, asked_size(options))
    found = study(options, subject, photos)
    result = _written(options, subject, photos, found)
    view.show(screen, options, subject, found, result)
    view.print_json(screen, options, subject, found, result)
    return result


def _written(
    options: ActivationsOptions, subject: ModelAndImages, photos: list[Seen], found: Study
) -> ActivationsResult:
    """Write pictures, numbers and parameters into a folder for this layer of these photos."""
    place = file_name("__".join([found.layer.name, *subject.stems]))
    maps = {
        f"image{1 + tensor.image}_{tensor.numbers.stage}": tensor.numbers.maps
        for tensor in found.tensors
    }
    with renewed_folder(
        subject.folder,
        run_hash=subject.made_of,
        options={},
        keep=lambda name: not name.startswith(f"{place}/"),
    ) as results:
        results.png(f"{place}/grid.png", grid_figure(found, options, subject))
        results.png(f"{place}/channels.png", channels_figure(found, options, subject))
        results.csv(f"{place}/channels.csv", found.channels)
        if len(found.boxes):
            results.csv(f"{place}/boxes.csv", found.boxes)
        if found.preferred is not None and found.filters is not None:
            results.csv(f"{place}/filters.csv", found.preferred)
        filters = {} if found.filters is None else {"filters": found.filters}
        results.npz(f"{place}/maps.npz", {**maps, **filters})
        results.tree(f"{place}/parameters.json", parameters(options, subject, photos, found))
        written = [name.removeprefix(f"{place}/") for name in results.written]
    return ActivationsResult(
        layer=found.layer.name,
        channels=found.channels,
        chosen=found.chosen,
        boxes=found.boxes,
        filters=found.preferred,
        maps=maps,
        folder=subject.folder / place,
        files=written,
    )


def parameters(
    options: ActivationsOptions, subject: ModelAndImages, photos: list[Seen], found: Study
) -> dict[str, Any]:
    """Return all that the pictures and numbers depend on."""
    images = [
        {
            "image": photo.name,
            "predicted": name,
            "probability": chance,
            "size": list(photo.size),
            "input_box": None if photo.box is None else list(photo.box),
            "boxes": {name: list(box) for name, box in boxes.items()},
        }
        for photo, boxes, (name, chance) in zip(
            photos, found.boxes_on, found.predicted, strict=True
        )
    ]
    tensors = [
        {
            "image": tensor.numbers.image,
            "stage": tensor.numbers.stage,
            "low": float(tensor.ends[:, 0].min()),
            "high": float(tensor.ends[:, 1].max()),
        }
        for tensor in found.tensors
    ]
    return {
        "model": subject.classifier.network.name,
        "run_hash": subject.made_of,
        "layer": found.layer.name,
        "layout": found.layer.layout,
        "shape": list(found.shape),
        "activation": found.output.activation,
        "call": found.output.call,
        "calls": found.output.calls,
        "input_size": list(found.input_size),
        "receptive_field": None
        if found.receptive_field is None
        else found.receptive_field._asdict(),
        "scale": found.scale,
        "signed": options.signed,
        "tensors": tensors,
        "grid": list(found.grid),
        "tile": options.tile,
        "upsampling": options.upsampling,
        "channels": list(found.chosen),
        "strongest": found.ranking[:10].tolist(),
        "images": images,
    }
