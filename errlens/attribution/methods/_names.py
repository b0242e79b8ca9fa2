"""Names of methods as people type them, and why some methods are left out on purpose."""

from collections.abc import Mapping
from typing import Final

# As other libraries and papers call methods, without what `folded` takes away.
_ALSO: Final[Mapping[str, str]] = {
    "cam": "grad-cam",
    "classactivationmap": "grad-cam",
    "classactivationmapping": "grad-cam",
    "gradcampp": "grad-cam-plus-plus",
    "gradcam++": "grad-cam-plus-plus",
    "vanillagradient": "gradient",
    "vanillagradients": "gradient",
    "gradients": "gradient",
    "backprop": "gradient",
    "backpropagation": "gradient",
    "inputxgradient": "gradient-x-input",
    "gradientinput": "gradient-x-input",
    "gradtimesinput": "gradient-x-input",
    "gradientsxinput": "gradient-x-input",
    "ig": "integrated-gradients",
    "integratedgradient": "integrated-gradients",
    "intgrad": "integrated-gradients",
    "smoothgradient": "smooth-grad",
    "smoothgradients": "smooth-grad",
    "occlusionsensitivity": "occlusion",
    "slidingwindow": "occlusion",
    "deconvolution": "deconvnet",
    "deconvolutional": "deconvnet",
    "deconv": "deconvnet",
    "guidedbackpropagation": "guided-backprop",
    "guidedgradient": "guided-backprop",
    "gbp": "guided-backprop",
    "relevance": "lrp",
    "layerwiserelevancepropagation": "lrp",
    "attnlrp": "lrp",
    "chefer": "attention-relevance",
    "transformerattribution": "attention-relevance",
    "genericattention": "attention-relevance",
    "superpixels": "lime",
}

# What is left out, by its name in sentences: why, and what to take instead.
_LEFT_OUT: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "eigen-cam": ("it shows what a layer holds, not what speaks for a class", ("grad-cam",)),
    "ablation-cam": (
        "it weights channels by what the score loses without them, as score-cam does by what it "
        "gains, at another cost",
        ("score-cam", "grad-cam"),
    ),
    "hires-cam": (
        "with average pooling and a linear head it equals grad-cam; elsewhere layer-cam gives it",
        ("layer-cam --layer-weights elementwise", "grad-cam"),
    ),
    "xgrad-cam": (
        "it weights gradients by their share of each channel; with average pooling it equals "
        "grad-cam",
        ("grad-cam",),
    ),
    "full-grad": (
        "it adds the gradients of biases of all layers into one unsigned map; integrated-gradients "
        "is signed and adds up to the score",
        ("integrated-gradients",),
    ),
    "guided-grad-cam": (
        "it multiplies grad-cam by guided-backprop, which barely depends on the class",
        ("grad-cam",),
    ),
    "shap": (
        "its values for pixels are only estimates; lime fits superpixels and says how well, "
        "integrated-gradients adds up to the score as they do",
        ("lime", "integrated-gradients"),
    ),
    "attention-rollout": (
        "it is the same for every class",
        ("attention-relevance", "grad-cam"),
    ),
}
_SAME: Final[Mapping[str, str]] = {
    "kernelshap": "shap",
    "deepshap": "shap",
    "deepliftshap": "shap",
    "gradientshap": "shap",
    "gradshap": "shap",
    "partitionshap": "shap",
    "eigengradcam": "eigen-cam",
    "rollout": "attention-rollout",
    "attention": "attention-rollout",
}


def folded(name: str) -> str:
    """Return a name as it is compared: without case, spaces and marks.

    >>> folded("Integrated Gradients"), folded("Guided_Grad-CAM"), folded("grad-cam++")
    ('integratedgradients', 'guidedgradcam', 'gradcam++')
    """
    return "".join(sign for sign in name.casefold() if sign.isalnum() or sign == "+")


def meant(name: str, known: list[str]) -> str | None:
    """Return the method that somebody calls otherwise; None of what is not known.

    >>> meant("GradCAM++", ["grad-cam", "grad-cam-plus-plus"])
    'grad-cam-plus-plus'
    """
    by_folded = {folded(name): name for name in known}
    also = _ALSO.get(folded(name))
    return by_folded.get(folded(name)) or (also if also in known else None)


def left_out(name: str, known: list[str]) -> tuple[str, str] | None:
    """Return why a method is left out and what to pass to `--method` instead; None of others.

    >>> left_out("Fullgrad", ["integrated-gradients"])[1]
    'integrated-gradients'
    """
    by_folded = {folded(method): method for method in _LEFT_OUT}
    its = by_folded.get(folded(name)) or _SAME.get(folded(name))
    if its is None:
        return None
    why, others = _LEFT_OUT[its]
    instead = next(method for method in others if method.split()[0] in known)
    return f"{its} is left out: {why}", instead
