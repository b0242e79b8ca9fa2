"""What is said of methods that are left out, or called otherwise."""

import pytest

from errlens.attribution.methods import _names, load_method, method_names
from errlens.errors import UnfitOption


def said(name):
    with pytest.raises(UnfitOption) as failure:
        load_method(name)
    return failure.value


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("eigen-cam", "not what speaks for a class"),
        ("EigenCAM", "not what speaks for a class"),
        ("ablation-cam", "as score-cam does"),
        ("AblationCAM", "as score-cam does"),
        ("hires-cam", "equals grad-cam"),
        ("HiResCAM", "equals grad-cam"),
        ("XGradCAM", "equals grad-cam"),
        ("fullgrad", "unsigned"),
        ("guided-gradcam", "barely depends on the class"),
        ("shap", "estimates"),
        ("DeepSHAP", "estimates"),
        ("kernel_shap", "estimates"),
        ("attention rollout", "same for every class"),
    ],
)
def test_a_method_left_out_says_why_and_what_to_take(name, why):
    failure = said(name)
    assert "is left out: " in str(failure)
    assert why in str(failure)
    assert failure.hint.startswith("pass --method ")
    load_method(failure.hint.split()[2])


def test_hires_cam_is_an_option_of_layer_cam():
    assert said("hirescam").hint == "pass --method layer-cam --layer-weights elementwise"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("GradCAM", "grad-cam"),
        ("gradcam++", "grad-cam-plus-plus"),
        ("grad-cam++", "grad-cam-plus-plus"),
        ("Grad_CAM_plus_plus", "grad-cam-plus-plus"),
        ("LayerCAM", "layer-cam"),
        ("finercam", "finer-cam"),
        ("smoothgrad", "smooth-grad"),
        ("IG", "integrated-gradients"),
        ("integrated gradients", "integrated-gradients"),
        ("input x gradient", "gradient-x-input"),
        ("vanilla-gradient", "gradient"),
        ("occlusion_sensitivity", "occlusion"),
    ],
)
def test_other_spellings_name_the_method(name, meant):
    assert said(name).hint == f"did you mean {meant}?"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("guided backpropagation", "guided-backprop"),
        ("deconvolution", "deconvnet"),
        ("scorecam", "score-cam"),
        ("layerwise relevance propagation", "lrp"),
        ("Deep-LIFT", "deeplift"),
    ],
)
def test_methods_are_known_by_other_names_wherever_they_exist(name, meant):
    assert _names.meant(name, ["grad-cam", meant]) == meant
    assert _names.meant(name, ["grad-cam"]) is None


def test_no_method_that_there_is_has_another_meaning():
    known = method_names()
    for name in known:
        assert _names.left_out(name, known) is None
        assert _names.meant(name, known) == name


def test_names_are_compared_as_they_are_written_in_the_table():
    for name in (*_names._ALSO, *_names._SAME):
        assert _names.folded(name) == name
    for _, instead in _names._LEFT_OUT.values():
        assert instead
    assert set(_names._SAME.values()) <= set(_names._LEFT_OUT)
