"""Points of layers, and what they add to each class."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from torch import nn

from errlens.atlas.points import collecting
from errlens.atlas.points.layers import point_layers
from errlens.attribution.explained_model import ExplainedModel
from errlens.errors import UnfitLayer, UnfitModel, UserCodeFailed
from errlens.model.asking.hiding import AskedImage
from errlens.model.outputs.reading import Reading
from tests.atlas.points.point_networks import Custom, by_gradients, fed, points_of, ways
from tests.conftest import paint
from tests.network.units.networks import classifier_of

SIDE = 16


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    colours = ("red", "green", "blue")
    paths = [paint(folder / f"{n}.png", colours[n % 3], size=(20, 18), seed=n) for n in range(7)]
    return [AskedImage(path, None) for path in paths]


@pytest.fixture(scope="module")
def conv():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3), nn.Hardswish(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5),
    ).eval()  # fmt: skip
    return classifier_of(module, side=SIDE)


def timm_classifier(name):
    """Return a network whose weights are large enough for every layer to matter."""
    torch.manual_seed(0)
    module = timm.create_model(name, num_classes=6).eval()
    for weight in module.parameters():
        weight.data += 0.1 * torch.randn_like(weight)
    return classifier_of(module, side=160)


def check(classifier, name, images, **how):
    """Hold points against gradients times activations, image by image."""
    points = points_of(classifier, [name], images, **how)[name]
    p = points.places.shape[1]
    assert points.at.tolist() == list(range(len(images)))
    for at, image in enumerate(images):
        _, maps, added = by_gradients(classifier, name, image)
        rows, columns = points.places[at].T
        here = slice(at * p, (at + 1) * p)
        largest = float(added.abs().max())
        assert largest > 0
        np.testing.assert_allclose(
            points.activations[here], maps[:, rows, columns].T, atol=1e-5 * float(maps.abs().max())
        )
        np.testing.assert_allclose(
            points.attributions[here], added[:, rows, columns].T, atol=2e-6 * largest, rtol=0
        )


@pytest.mark.parametrize("name", ["0", "1", "2", "3", "4", "5"])
def test_attributions_are_gradients_times_activations(conv, images, name):
    check(conv, name, images)


@pytest.mark.parametrize(
    ("network", "name", "way"),
    [
        ("test_resnet", "layer2", "together"),
        ("test_resnet", "layer3.0.conv1", "one by one"),
        ("test_vit", "blocks.2", "together"),
        ("test_convnext", "stages.2.blocks.1.mlp.fc1", "one by one"),
    ],
)
def test_so_they_are_in_networks_of_timm(images, network, name, way):
    classifier = timm_classifier(network)
    assert ways(classifier, [name]) == {name: way}
    check(classifier, name, images[:2], batch_size=2)


def test_a_head_behind_a_mean_is_found_by_numbers_and_adds_up_to_the_logits(conv, images):
    assert ways(conv, ["5", "4", "2"]) == {"5": "linear", "4": "together", "2": "together"}
    points = points_of(conv, ["5"], images, per_image=99)["5"]
    classes = conv.network.module[8]
    rows, columns = point_layers(ExplainedModel.of(conv), ["5"])[0].grid
    weights = classes.weight.detach().numpy() / (rows * columns)
    np.testing.assert_allclose(points.attributions, points.activations @ weights.T, atol=1e-7)
    for image in images:
        logits, maps, added = by_gradients(conv, "5", image)
        of_all = added.sum(dim=(1, 2)) + classes.bias.detach()
        np.testing.assert_allclose(of_all, logits, atol=2e-6)
        # What a constant map of the mean adds is the logit as well.
        of_mean = classes.weight @ maps.mean(dim=(1, 2)) + classes.bias
        np.testing.assert_allclose(of_mean.detach(), logits, atol=2e-6)
    # The mean of attributions is the attribution of the mean.
    np.testing.assert_allclose(
        points.attributions.mean(axis=0), points.activations.mean(axis=0) @ weights.T, atol=1e-6
    )


def test_tangents_of_a_linear_head_are_the_same(conv, images, monkeypatch):
    linear = points_of(conv, ["5"], images)["5"]
    monkeypatch.setattr("errlens.atlas.points.collecting.linear_head", lambda *_: None)
    tangents = points_of(conv, ["5"], images)["5"]
    np.testing.assert_array_equal(linear.places, tangents.places)
    np.testing.assert_allclose(linear.attributions, tangents.attributions, atol=1e-6)


def test_several_layers_in_one_pass_give_what_each_alone_does(conv, images, monkeypatch):
    each = {name: points_of(conv, [name], images)[name] for name in ("2", "4", "5")}
    read = []
    load = collecting.load_some_asked

    def counted(*given, **how):
        read.extend(given[2])
        return load(*given, **how)

    monkeypatch.setattr(collecting, "load_some_asked", counted)
    together = points_of(conv, ["2", "4", "5"], images)
    assert sorted(read) == list(range(len(images)))
    for name, alone in each.items():
        for ours, theirs in zip(together[name][:4], alone[:4], strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("how", [{"batch_size": 1}, {"batch_size": 7, "workers": 1}])
def test_batches_change_no_place_and_values_in_the_last_digits_only(conv, images, how):
    first, other = (points_of(conv, ["2", "5"], images, **each) for each in ({}, how))
    for name, points in first.items():
        np.testing.assert_array_equal(points.places, other[name].places)
        np.testing.assert_allclose(points.activations, other[name].activations, atol=1e-5)
        np.testing.assert_allclose(points.attributions, other[name].attributions, atol=1e-6)


def test_the_last_of_several_runs_of_a_layer_counts(images):
    torch.manual_seed(0)

    def forward(net, x):
        x = net.twice(net.stem(x))
        return net.head(net.act(net.twice(x)).mean(dim=(2, 3)) ** 2)

    net = Custom(
        forward, stem=nn.Conv2d(3, 6, 3), twice=nn.Conv2d(6, 6, 3, padding=1), act=nn.Tanh(),
        head=nn.Linear(6, 3),
    ).eval()  # fmt: skip
    classifier = classifier_of(net, side=SIDE)
    points = points_of(classifier, ["twice"], images[:1], per_image=2)["twice"]
    maps = []
    hook = net.twice.register_forward_hook(lambda _part, _inputs, output: maps.append(output))
    h = torch.zeros(0)
    with torch.no_grad():
        net(fed(classifier, images[0]))
        hook.remove()
        h = maps[-1]
    leaf = h.clone().requires_grad_()
    logits = net.head(net.act(leaf).mean(dim=(2, 3)) ** 2)[0]
    rows, columns = points.places[0].T
    for number, logit in enumerate(logits):
        (slope,) = torch.autograd.grad(logit, leaf, retain_graph=True)
        added = (slope * h).sum(dim=1)[0, rows, columns]
        np.testing.assert_allclose(points.attributions[:, number], added, atol=1e-6)


def shortcut(net, x):
    x = net.stem(x)
    return net.head((x + net.branch(x)).relu().amax(dim=(2, 3)))


def squeezed(net, x):
    x = net.branch(net.stem(x)).tanh().amax(dim=(2, 3)).squeeze()
    if x.ndim != 1:
        raise ValueError("one image")
    return net.head(x)


def in_lists(net, x):
    maps = [net.stem(x), net.branch(net.stem(x)).tanh()]
    return {"logits": net.head(torch.cat(maps).amax(dim=(2, 3))[len(x) :]), "maps": maps}


class NoForward(torch.autograd.Function):
    """A step without a forward derivative."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, slope):
        (x,) = ctx.saved_tensors
        return slope * 3 * x**2


def of_own_make(net, x):
    return net.head(NoForward.apply(net.branch(net.stem(x))).mean(dim=(2, 3)))


def layers():
    torch.manual_seed(0)
    return {
        "stem": nn.Conv2d(3, 6, 3), "branch": nn.Conv2d(6, 6, 3, padding=1), "head": nn.Linear(6, 4)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("forward", "way"),
    [(shortcut, "one by one"), (of_own_make, "backward")],
    ids=["used again after the layer", "no forward derivative"],
)
def test_networks_that_cannot_go_on_together_are_asked_in_another_way(images, forward, way):
    classifier = classifier_of(Custom(forward, **layers()).eval(), side=SIDE)
    assert ways(classifier, ["branch"]) == {"branch": way}
    check(classifier, "branch", images[:3])


def test_what_a_network_returns_beside_scores_is_no_matter(images):
    plain = classifier_of(
        Custom(lambda net, x: in_lists(net, x)["logits"], **layers()).eval(), side=SIDE
    )
    classifier = plain.read_as(Reading(place=("logits",)))
    classifier.network.module._forward = in_lists
    check(classifier, "branch", images[:2])


def test_classes_that_are_not_chosen_among_have_no_attribution(conv, images):
    few = conv.among([1, 3], source="a test")
    every, chosen = (points_of(each, ["2", "5"], images) for each in (conv, few))
    for name, points in every.items():
        assert chosen[name].attributions.shape[1] == 2
        np.testing.assert_allclose(
            points.attributions[:, [1, 3]], chosen[name].attributions, atol=1e-7
        )


def test_one_image_at_a_time_is_all_that_some_are_given(images):
    net = Custom(lambda net, x: squeezed(net, x)[None], **layers()).eval()
    classifier = classifier_of(net, side=SIDE)
    net._forward = squeezed
    classifier = replace(classifier, interface=classifier.interface._replace(one_at_a_time=True))
    assert ways(classifier, ["branch"]) == {"branch": "one by one"}
    check(classifier, "branch", images[:2], batch_size=None)


def test_images_with_values_that_are_not_finite_are_left_out(images):
    def forward(net, x):
        maps = net.stem(x)
        bad = torch.where(fails(x), torch.inf, 1.0)
        return net.head((maps * bad).amax(dim=(2, 3)))

    third = None

    def fails(x):
        same = torch.zeros(len(x), dtype=torch.bool) if third is None else (x == third).flatten(1)
        return (same if same.ndim == 1 else same.all(dim=1))[:, None, None, None]

    net = Custom(forward, stem=nn.Conv2d(3, 6, 3), head=nn.Linear(6, 4)).eval()
    classifier = classifier_of(net, side=SIDE)
    third = fed(classifier, images[2])
    points = points_of(classifier, ["stem"], images)["stem"]
    assert points.not_finite == [2]
    assert points.at.tolist() == [0, 1, 3, 4, 5, 6]


def test_what_cannot_be_differentiated_is_refused_in_a_sentence():
    def forward(net, x):
        return net.head(net.stem(x).detach().amax(dim=(2, 3)))

    net = Custom(forward, stem=nn.Conv2d(3, 6, 3), head=nn.Linear(6, 4)).eval()
    with pytest.raises(UnfitModel, match="layer 'stem' adds to the logits cannot be diff"):
        ways(classifier_of(net, side=SIDE), ["stem"])


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace:FutureWarning")
def test_layers_without_places_or_of_scripts_are_refused(conv):
    with pytest.raises(UnfitLayer, match="no map of places"):
        ways(conv, ["7"])
    traced = torch.jit.trace(nn.Conv2d(6, 6, 3), torch.zeros(1, 6, 9, 9))
    net = nn.Sequential(nn.Conv2d(3, 6, 3), traced, nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    with pytest.raises(UnfitLayer, match="layer '1'"):
        ways(classifier_of(net, side=SIDE), ["1"])


def test_hooks_and_settings_are_as_before_also_after_a_failure(conv, images):
    net = conv.network.module
    with pytest.raises(UserCodeFailed), failing_on(net, fed(conv, images[5])):
        points_of(conv, ["2", "5"], images)
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in net.modules())
    assert torch.backends.mha.get_fastpath_enabled()
    assert torch.backends.cuda.flash_sdp_enabled()
    with torch.autograd.forward_ad.dual_level():  # which cannot be entered twice
        pass


@contextmanager
def failing_on(net, photo):
    """Let a network fail where it sees a photo."""

    def fail(_part, inputs):
        if any(torch.equal(image, photo[0]) for image in inputs[0]):
            raise RuntimeError("broken")

    hook = net[0].register_forward_pre_hook(fail)
    try:
        yield
    finally:
        hook.remove()
