"""Failures a user can do something about.

Each class says what happened in its message, what to do in its hint, and how the process ends in
its exit code::

    ErrlensError
    ├── UsageError (2)              the command or its configuration
    │   ├── BadConfig
    │   ├── UnknownModel
    │   ├── UnknownDataSet
    │   ├── UnfitOption
    │   ├── PictureTooLarge
    │   ├── UnfitSelection
    │   ├── UnfitGate
    │   ├── UnfitLayer
    │   ├── Unruled
    │   │   └── Unlike
    │   └── UnfitMethod
    ├── InputError (3)              what the command was given to read
    │   ├── MissingInput
    │   ├── NoImages
    │   ├── BadManifest
    │   ├── BadPredictions
    │   ├── BadClassFile
    │   ├── BadLabelFile
    │   ├── BadMarks
    │   ├── ClassCountMismatch
    │   ├── UnknownLabels
    │   ├── AmbiguousLabels
    │   ├── BadCheckpoint
    │   ├── IncompatibleCheckpoint
    │   ├── UnfitCheckpoint
    │   ├── NoClassifier
    │   ├── WeightsUnavailable
    │   ├── DataSetUnavailable
    │   ├── UnfitDataSet
    │   ├── UnfitModel
    │   ├── UserCodeFailed
    │   ├── OutOfMemory
    │   ├── NotARun
    │   ├── ForeignCode
    │   ├── NoModel
    │   ├── NoLabels
    │   ├── IncompleteRun
    │   ├── StaleRun
    │   ├── LabelSpaceMismatch
    │   ├── IncomparableRuns
    │   ├── NoResults
    │   ├── UnfitBaseline
    │   ├── NoSpatialLayer
    │   ├── NothingExplained
    │   ├── OutsideRun
    │   ├── OutOfReach
    │   └── TooManyBadInputs
    ├── GateFailed (1)              the model is not as good as was asked
    └── Interrupted (130)           by Ctrl-C; 143 by SIGTERM, 129 by SIGHUP

Anything else that reaches the top is a bug and keeps its traceback, but for what the system refuses
(`NOT_OURS`): that is told as `OutOfReach`, wherever it comes from.
"""

# All of them are imported from here, whichever file they stand in.
from errlens.errors.data import *  # noqa: F403
from errlens.errors.kinds import *  # noqa: F403
from errlens.errors.models import *  # noqa: F403
from errlens.errors.runs import *  # noqa: F403
from errlens.errors.system import *  # noqa: F403
from errlens.errors.usage import *  # noqa: F403
from errlens.errors.words import *  # noqa: F403
