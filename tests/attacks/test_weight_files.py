"""Files of weights that claim more than they hold: refused in seconds, with little memory."""

import io
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict

import pytest
import timm
import torch
from safetensors.torch import save_file

from errlens.errors import BadCheckpoint, IncompatibleCheckpoint, InputError
from errlens.model.networks.loading import load_network
from errlens.model.weights.checkpoints import read_checkpoint
from tests.attacks.limits import seconds_and_memory


@pytest.fixture(autouse=True)
def within_seconds_and_memory():
    with seconds_and_memory():
        yield


def unloadable(path, **options):
    with pytest.raises(InputError) as failure:
        load_network(checkpoint=path, **options)
    assert failure.value.exit_code == 3
    assert len(str(failure.value)) < 2000


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("length", [0, 1, 10**6, 10**9, 10**18, 2**64 - 1])
def test_a_safetensors_header_that_is_not_there(tmp_path, length):
    path = tmp_path / "w.safetensors"
    path.write_bytes(struct.pack("<Q", length) + b'{"a": 1}')
    unloadable(path)


@pytest.mark.parametrize(
    "header",
    [
        '{"a":{"dtype":"F32","shape":[1000000000,1000000000],"data_offsets":[0,4]}}',
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4000000000000]}}',
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}',
        '{"a":{"dtype":"F32","shape":[0,1000000000000],"data_offsets":[0,0]}}',
        '{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,4]}}',
        '{"a":' * 10_000,
        "[" * 100_000,
    ],
)
def test_a_safetensors_header_that_lies(tmp_path, header):
    path = tmp_path / "w.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode() + b"\0" * 4)
    unloadable(path)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".safetensors", ".ckpt"])
def test_a_file_of_gigabytes_of_nothing(tmp_path, suffix):
    path = tmp_path / f"w{suffix}"
    with path.open("wb") as file:
        file.truncate(50 * 2**30)  # sparse: it takes no room
    unloadable(path)


def zip_of(tree):
    saved = io.BytesIO()
    torch.save(tree, saved)
    saved.seek(0)
    with zipfile.ZipFile(saved) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_zip(path, parts, *, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def test_a_zip_bomb(tmp_path):
    parts = zip_of({"a": torch.zeros(4)})
    name = next(name for name in parts if name.endswith("data/0"))
    parts[name] = b"\0" * 2**26
    write_zip(tmp_path / "w.pt", parts, compression=zipfile.ZIP_DEFLATED)
    assert (tmp_path / "w.pt").stat().st_size < 2**20
    with pytest.raises(BadCheckpoint, match="compressed"):
        read_checkpoint(tmp_path / "w.pt")


def test_parts_of_the_same_name(tmp_path):
    parts = zip_of({"a": torch.zeros(4)})
    name = next(name for name in parts if name.endswith("data.pkl"))
    twin = name.replace("data.pkl", "DATA.PKL")
    write_zip(tmp_path / "w.pt", parts | {twin: parts[name]})
    with pytest.raises(BadCheckpoint, match="same name"):
        read_checkpoint(tmp_path / "w.pt")


def test_a_storage_that_is_larger_than_its_part(tmp_path):
    parts = zip_of({"a": torch.zeros(1000)})
    name = next(name for name in parts if name.endswith("data/0"))
    parts[name] = parts[name][:8]
    write_zip(tmp_path / "w.pt", parts)
    unloadable(tmp_path / "w.pt")


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    "tensor",
    {
        "huge": lambda: torch.zeros(1).expand(10**12),
        "square": lambda: torch.zeros(1).expand(10**6, 10**6),
        "rows": lambda: torch.zeros(10**6).expand(10**3, 10**6),
        "strided": lambda: torch.zeros(1).as_strided((10**9,), (0,)),
        "no rows": lambda: torch.zeros(0, 10**12),
        "no columns": lambda: torch.zeros(10**12, 0),
        "meta": lambda: torch.zeros(10**12, device="meta"),
        "sparse": lambda: torch.sparse_coo_tensor(
            torch.zeros(2, 1, dtype=torch.long),
            torch.ones(1),
            (10**6, 10**6),
            check_invariants=True,
        ),
        "quantised": lambda: torch.quantize_per_tensor(torch.zeros(4), 1.0, 0, torch.quint8),
        "complex": lambda: torch.zeros(4, dtype=torch.complex64),
        "scalar": lambda: torch.zeros(()),
    }.items(),
    ids=lambda pair: pair[0],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_a_tensor_that_is_not_all_there(tmp_path, tensor, zipped):
    state = timm.create_model("test_resnet", num_classes=3).state_dict()
    state["fc.weight"] = tensor[1]()
    torch.save(state, tmp_path / "w.pt", _use_new_zipfile_serialization=zipped)
    unloadable(tmp_path / "w.pt")
    unloadable(tmp_path / "w.pt", name="test_resnet")


@pytest.mark.parametrize(
    "bomb",
    [
        Calls(torch.FloatTensor, 10**12),
        Calls(torch._utils._rebuild_device_tensor_from_cpu_tensor, 1, 2, 3, 4),
        Calls(torch._utils._rebuild_meta_tensor_no_storage, torch.float32, (10**12,), (1,), False),
        Calls(torch._utils._rebuild_wrapper_subclass, 1),
        Calls(bytearray, 10**12),
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_a_call_that_allocates(tmp_path, bomb, zipped):
    torch.save(
        {"w": torch.zeros(1), "x": bomb},
        tmp_path / "w.pt",
        _use_new_zipfile_serialization=zipped,
    )
    with pytest.raises(BadCheckpoint, match="would build its tensors by"):
        read_checkpoint(tmp_path / "w.pt")


def test_a_letter_that_is_doubled_again_and_again(tmp_path):
    # x = encode("a", "latin1"); x = encode(x, "hex") fifty times over
    steps = b"c_codecs\nencode\nX\x01\0\0\0aX\x06\0\0\0latin1\x86R"
    for _ in range(50):
        steps = b"c_codecs\nencode\n" + steps + b"X\x03\0\0\0hex\x86R"
    parts = zip_of({"a": torch.zeros(4)})
    name = next(name for name in parts if name.endswith("data.pkl"))
    write_zip(tmp_path / "w.pt", parts | {name: b"\x80\x02" + steps + b"."})
    with pytest.raises(BadCheckpoint, match=r"_codecs\.hex"):
        read_checkpoint(tmp_path / "w.pt")


def test_more_objects_than_any_training_has(tmp_path, monkeypatch):
    parts = zip_of({"a": torch.zeros(4)})
    name = next(name for name in parts if name.endswith("data.pkl"))
    write_zip(tmp_path / "w.pt", parts | {name: b"\x80\x02" + b"}" * 10_001 + b"."})
    monkeypatch.setattr("errlens.model.weights.pickles.MOST_STEPS", 10_000)
    with pytest.raises(BadCheckpoint, match="objects"):
        read_checkpoint(tmp_path / "w.pt")


def test_a_storage_of_terabytes_in_the_old_format(tmp_path):
    class Storage:
        pass

    class Pickler(pickle.Pickler):
        def persistent_id(self, thing):
            if isinstance(thing, Storage):
                return ("storage", torch.FloatStorage, "0", "cpu", 10**13, None)
            return None

    tensor = Calls(
        torch._utils._rebuild_tensor_v2, Storage(), 0, (10**13,), (1,), False, OrderedDict()
    )
    with (tmp_path / "w.pt").open("wb") as file:
        header = 0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True}
        for part in (*header, OrderedDict(a=tensor)):
            Pickler(file, 2).dump(part)
        pickle.dump(["0"], file, 2)
        file.write(struct.pack("<q", 10**13) + b"\0" * 16)
    unloadable(tmp_path / "w.pt")


def test_a_tree_that_holds_itself(tmp_path):
    tree = {"weights": {"a": torch.zeros(2)}}
    tree |= {f"k{number}": tree for number in range(300)}
    torch.save(tree, tmp_path / "w.pt")
    assert list(read_checkpoint(tmp_path / "w.pt").state) == ["a"]


def test_a_hundred_thousand_tensors_of_nothing(tmp_path):
    empty = torch.zeros(0)
    torch.save({f"t{number}": empty for number in range(100_000)}, tmp_path / "w.pt")
    with pytest.raises(BadCheckpoint, match="100,000 tensors"):
        read_checkpoint(tmp_path / "w.pt")


@pytest.mark.parametrize(
    "name",
    ["__class__", "__class__.__init__.__globals__", "fc.__dict__", "fc.weight.data", "x" * 500,
     "", ".", "\x1b[2J", "\ud800", "fc..weight"],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_only_a_name(tmp_path, name):
    state = timm.create_model("test_resnet", num_classes=3).state_dict()
    torch.save({**state, name: torch.zeros(1)}, tmp_path / "w.pt")
    with pytest.raises(IncompatibleCheckpoint) as failure:
        load_network("test_resnet", checkpoint=tmp_path / "w.pt")
    assert failure.value.unexpected == [name]
    assert len(str(failure.value)) < 500


@pytest.mark.parametrize("name", ["x" * 100_000, "a." * 100_000, "a." * 100])
def test_a_name_longer_than_any(tmp_path, name):
    torch.save({name: torch.zeros(1)}, tmp_path / "w.pt")
    with pytest.raises(BadCheckpoint, match="holds a tensor called"):
        read_checkpoint(tmp_path / "w.pt")


def test_many_tensors_below_many_prefixes(tmp_path):
    empty = torch.zeros(0)
    torch.save({"a." * 50 + str(at): empty for at in range(20_000)}, tmp_path / "w.pt")
    unloadable(tmp_path / "w.pt", name="test_resnet")


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("held_by", ["key", "set", "value"])
def test_tuples_of_tuples_without_end(tmp_path, width, held_by, zipped):
    """As a key of a dict, such a tuple is hashed: a crash of Python, or a wait of years."""
    # The tuple is put into the memo, and the next one is made of it once, twice or three times.
    made = {1: b"\x85", 2: b"\x86", 3: b"\x87"}[width]
    tuples = b")q\0" + (b"h\0" * (width - 1) + made + b"q\0") * 5_000
    held = {
        "key": b"}" + tuples + b"K\x01s",
        "set": b"c__builtin__\nset\n]" + tuples + b"a\x85R",
        "value": b"}K\x01" + tuples + b"s",
    }[held_by]
    if zipped:
        parts = zip_of({"a": torch.zeros(4)})
        name = next(name for name in parts if name.endswith("data.pkl"))
        write_zip(tmp_path / "w.pt", parts | {name: b"\x80\x02" + held + b"."})
    else:
        head = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
        head = b"".join(pickle.dumps(part, 2) for part in head)
        (tmp_path / "w.pt").write_bytes(head + b"\x80\x02" + held + b"." + pickle.dumps([], 2))
    with pytest.raises(BadCheckpoint, match="tuples of tuples"):
        read_checkpoint(tmp_path / "w.pt")


def test_tuples_of_ordinary_size_are_read(tmp_path):
    names = tuple(f"class {at}" for at in range(22_000))
    tree = {"a": torch.zeros(2)}, (((1, 2), 3), names)
    torch.save({"w": tree[0], "names": names, "odd": tree[1], (1, (2, 3)): 4}, tmp_path / "w.pt")
    assert read_checkpoint(tmp_path / "w.pt").recorded["names"] == names


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.float8_e5m2])
def test_weights_that_are_no_numbers(tmp_path, value, dtype):
    state = timm.create_model("test_resnet", num_classes=3).state_dict()
    state["fc.weight"][1, 2] = value
    save_file(
        {name: one.to(dtype) if one.is_floating_point() else one for name, one in state.items()},
        tmp_path / "w.safetensors",
    )
    with pytest.raises(BadCheckpoint, match=r"infinite or no numbers, in 1 of \d+ tensors: 'fc"):
        load_network("test_resnet", checkpoint=tmp_path / "w.safetensors")


def test_statistics_that_are_no_numbers(tmp_path):
    state = timm.create_model("test_resnet", num_classes=3).state_dict()
    name = next(name for name in state if name.endswith("running_var"))
    state[name][0] = float("nan")
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(BadCheckpoint, match="running_var"):
        load_network("test_resnet", checkpoint=tmp_path / "w.pt")


def test_a_small_file_does_not_ask_for_a_large_network(tmp_path):
    state = timm.create_model("test_resnet", num_classes=3).state_dict()
    torch.save({"arch": "eva02_enormous_patch14_clip_224", "state_dict": state}, tmp_path / "w.pt")
    with pytest.raises(IncompatibleCheckpoint):
        load_network(checkpoint=tmp_path / "w.pt")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is of Linux")
def test_what_is_no_ordinary_file(tmp_path):
    for name, target in (
        ("a.pt", "/dev/zero"),
        ("b.pt", "/dev/stdin"),
        ("c.safetensors", "/proc/self/mem"),
    ):
        (tmp_path / name).symlink_to(target)
        unloadable(tmp_path / name)
