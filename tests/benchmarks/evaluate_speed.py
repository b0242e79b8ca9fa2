"""Time `errlens evaluate` against the plain timm way on the same files.

Both sides start from a model name and a folder and end with the number of correct images; errlens
writes its run folder on the way. They alternate, so that a change of the machine's speed meets
both, and each in a fresh process, as a user would run it::

    python tests/benchmarks/evaluate_speed.py DATA MODEL CHECKPOINT [--option value ...]

The plain way is timm's dataset, loader (2 workers, prefetcher), channels_last and inference mode,
as timm's validation script has them, with its default batch of 256 and with errlens's of 16.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PLAIN = """
import json, sys
import timm, torch
from timm.data import create_dataset, create_loader, resolve_data_config
from timm.models import load_checkpoint

data, name, checkpoint, batch, config = sys.argv[1:]
config = json.loads(config)
names = sorted(path.name for path in __import__("pathlib").Path(data).iterdir())
model = timm.create_model(name, num_classes=len(names), **config.pop("model_kwargs"))
load_checkpoint(model, checkpoint)
model = model.eval().to(memory_format=torch.channels_last)
settings = resolve_data_config(config, model=model)
dataset = create_dataset("", root=data, class_map={name: i for i, name in enumerate(names)})
loader = create_loader(
    dataset, settings["input_size"], int(batch), is_training=False, num_workers=2,
    interpolation=settings["interpolation"], mean=settings["mean"], std=settings["std"],
    crop_pct=settings["crop_pct"], crop_mode=settings["crop_mode"], device=torch.device("cpu"),
)
correct = 0
with torch.inference_mode():
    for images, labels in loader:
        found = model(images.contiguous(memory_format=torch.channels_last))
        correct += int((found.argmax(1) == labels).sum())
print(correct)
"""


def plain_seconds(args: argparse.Namespace, batch: int) -> float:
    kwargs = dict(pair.split("=") for pair in args.model_kwargs)
    config = {
        "model_kwargs": {key: int(value) for key, value in kwargs.items()},
        **({"img_size": args.img_size} if args.img_size else {}),
        **({"crop_pct": 1.0, "crop_mode": "squash"} if args.squash else {}),
    }
    command = [args.data, args.model, args.checkpoint, str(batch), json.dumps(config)]
    return _seconds([sys.executable, "-W", "ignore", "-c", PLAIN, *command])


def errlens_seconds(args: argparse.Namespace) -> float:
    command = [sys.executable, "-m", "errlens", "evaluate", args.data, "--model", args.model]
    command += ["--checkpoint", args.checkpoint, "--quiet"]
    command += [word for pair in args.model_kwargs for word in ("--model-kwargs", pair)]
    command += ["--img-size", str(args.img_size)] if args.img_size else []
    command += ["--crop-pct", "1.0", "--crop-mode", "squash"] if args.squash else []
    with tempfile.TemporaryDirectory() as folder:
        return _seconds([*command, "-o", str(Path(folder, "run"))])


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data")
    parser.add_argument("model")
    parser.add_argument("checkpoint")
    parser.add_argument("--model-kwargs", action="append", default=[], metavar="K=V")
    parser.add_argument("--img-size", type=int)
    parser.add_argument("--squash", action="store_true", help="resize without crop")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    times: dict[str, list[float]] = {"errlens": [], "timm, batch 16": [], "timm, batch 256": []}
    for _ in range(args.rounds + 1):
        times["errlens"].append(errlens_seconds(args))
        times["timm, batch 16"].append(plain_seconds(args, 16))
        times["timm, batch 256"].append(plain_seconds(args, 256))
    for name, seconds in times.items():
        counted = seconds[1:]  # the first round warms the disk
        ratio = statistics.median(
            ours / other for ours, other in zip(times["errlens"][1:], counted, strict=True)
        )
        print(
            f"{name:16} median {statistics.median(counted):6.2f} s"
            f"  ({min(counted):.2f} to {max(counted):.2f})  errlens takes {ratio:.2f} of it"
        )


if __name__ == "__main__":
    main()
