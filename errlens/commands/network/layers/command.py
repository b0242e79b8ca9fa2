"""`errlens network layers`: which layers there are, and what can be asked of them."""

import torch

from errlens.attribution.explained_model import ExplainedModel
from errlens.commands.network.layers import view
from errlens.commands.network.layers.options import LayersOptions
from errlens.commands.network.layers.result import LayersResult
from errlens.model.asking.threads import torch_threads_kept
from errlens.network.layers import find_layers
from errlens.run.results import renewed_folder
from errlens.terminal import Screen


def layers(options: LayersOptions, screen: Screen | None = None) -> LayersResult:
    """List the layers of a network, with what each sees, costs and is good for."""
    screen = screen or options.screen()
    with torch_threads_kept():
        torch.set_num_threads(1)  # of one image, threads wait for one another more than they work
        subject = options.find_subject(screen, trained=False)
        found = find_layers(ExplainedModel.of(subject.classifier))
    folder = subject.folder(options.into)
    about = {"model": subject.classifier.network.name, "size": list(found.size)}
    result = LayersResult(subject, found, folder)
    with renewed_folder(folder, run_hash=subject.made_of, options=about) as results:
        results.csv("layers.csv", found.table)
        results.tree("layers.json", result.as_tree())
    view.show(screen, options, result)
    view.print_json(screen, result)
    return result
