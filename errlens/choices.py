"""What may be chosen by name: the words that options offer and the code that does it knows.

They lie here, where nothing heavy is imported, for the help lists them.
"""

from typing import Final, Literal

LabelKind = Literal["names", "indices"]
Device = Literal["auto", "cpu", "cuda", "mps"]
CropMode = Literal["center", "squash", "border"]
Interpolation = Literal["nearest", "bilinear", "bicubic", "box", "hamming", "lanczos"]
Upsampling = Literal["nearest", "bilinear", "bicubic"]
Fill = Literal["mean", "gray", "black", "blur", "noise"]
LayerWeights = Literal["positive", "elementwise"]
Projection = Literal["deconvnet", "guided-backprop", "gradient-x-input", "lrp", "none"]
FilterScale = Literal["filter", "layer"]
MapMethod = Literal["pca", "tsne"]
Icons = Literal["patches", "optimize", "both"]
Rank = Literal["loss", "margin", "confidence", "entropy", "superclass"]
Order = Literal["given", "superclass", "frequency", "cluster"]
Repeated = Literal["count", "first", "mean"]
Normalization = Literal["none", "true", "pred"]
Verdict = Literal["wrong label", "ambiguous", "bad image", "interesting"]

# How many samples a method draws that draws some.
SAMPLES: Final = {"smooth-grad": 25, "lime": 1000, "rise": 4000}
