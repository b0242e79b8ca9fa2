"""Labels in doubt as labelling tools take them in: Label Studio's tasks, FiftyOne's samples."""

from pathlib import PurePath
from typing import Any
from urllib.parse import quote

import pandas as pd


def label_studio_tasks(issues: pd.DataFrame) -> list[dict[str, Any]]:
    """Return tasks with predictions, as `Import` of a project takes them.

    The pictures are found through a local storage whose root is the data root of the run. The
    labelling interface needs `<Image name="image" value="$image"/>` and `<Choices name="label"
    toName="image">` with the classes. Sorted by prediction score, the surest come last.

    Args:
        issues: Rows of label_issues.csv.
    """
    return [
        {
            "data": {
                "image": f"/data/local-files/?d={quote(issue['path'])}",
                "row": issue["row"],
                "sample_id": issue["sample_id"],
                "label_name": issue["label_name"],
                "list": issue["list"],
                "evidence": issue["evidence"],
            },
            "predictions": [
                {
                    "model_version": "errlens",
                    "score": issue["looks_like_prob"],
                    "result": [
                        {
                            "id": f"row{issue['row']}",
                            "type": "choices",
                            "from_name": "label",
                            "to_name": "image",
                            "value": {"choices": [issue["looks_like"]]},
                        }
                    ],
                }
            ],
        }
        for issue in issues.to_dict("records")
    ]


def fiftyone_samples(issues: pd.DataFrame, *, data_root: PurePath) -> dict[str, Any]:
    """Return what samples.json holds, in a folder of the type `fiftyone.types.FiftyOneDataset`.

    FiftyOne takes a folder with this file alone: `fiftyone.Dataset.from_dir(dataset_dir=FOLDER,
    dataset_type=fiftyone.types.FiftyOneDataset)`. Its fields are `ground_truth`, `prediction`, the
    list as a tag, and the figures.

    Args:
        issues: Rows of label_issues.csv.
        data_root: Where the pictures lie, absolute.
    """
    samples = [
        {
            "filepath": str(data_root / issue["path"]),
            "tags": [issue["list"]],
            "row": issue["row"],
            "errlens_id": issue["sample_id"],  # FiftyOne has a sample_id of its own
            "label_issue": issue["score"],
            "evidence": issue["evidence"],
            "ground_truth": {"_cls": "Classification", "label": issue["label_name"]},
            "prediction": {
                "_cls": "Classification",
                "label": issue["looks_like"],
                "confidence": issue["looks_like_prob"],
            },
        }
        for issue in issues.to_dict("records")
    ]
    return {"samples": samples}
