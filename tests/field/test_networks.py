"""Networks whose answers are not what their user takes them for."""

from errlens.run import open_run


def test_dropout_that_eval_does_not_end_is_told(photos, users, call):
    """Coderx7/SimpleNet#2: functional dropout is on in evaluation, answers differ each time."""
    said = call(f"evaluate {photos} --model {users}:AlwaysDropout --img-size 8 -o run -q")
    assert "answers differently when it is shown the same photos again" in " ".join(
        said.stderr.split()
    )


def test_a_network_for_one_photo_says_so_and_works(photos, users, call):
    """nyukat/breast_cancer_classifier#15: an assertion that holds for batches of one only."""
    command = f"evaluate {photos} --model {users}:OneAtATime --img-size 8 -o run"
    said = call(command, 3)
    assert "takes one image at a time" in said.stderr
    assert "--batch-size 1" in said.stderr
    call(f"{command} --batch-size 1")
    assert open_run("run").metrics["top1"]["value"] == 11 / 12
