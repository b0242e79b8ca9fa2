from http import HTTPStatus
from threading import Event, Thread

import pytest

from errlens.errors import UnfitMethod
from errlens.serving.answers import Refused
from errlens.serving.maps import MOST_WAITING, Maps

METHODS = ("grad-cam", "occlusion")


def refused(maps, row=1, method="grad-cam"):
    with pytest.raises(Refused) as caught:
        maps.get(row, method)
    return caught.value.status, str(caught.value)


def test_a_map_is_made_once():
    made = []

    def make(row, method):
        made.append((row, method))
        return b"map"

    maps = Maps(make, METHODS)
    for _ in range(2):
        assert maps.get(1, "grad-cam").content == b"map"
        assert maps.get(1, "occlusion").kind == "image/webp"
    assert made == [(1, "grad-cam"), (1, "occlusion")]


def test_what_was_made_of_an_image_is_known_as_long_as_it_is_kept():
    maps = Maps(lambda *_: b"map", METHODS)
    assert maps.made(1) == []
    maps.get(1, "occlusion")
    assert (maps.made(1), maps.made(2)) == (["occlusion"], [])
    for row in range(2, 66):
        maps.get(row, "grad-cam")
    assert (maps.made(1), maps.made(65)) == ([], ["grad-cam"])


def test_where_there_is_no_model_the_sentence_says_why():
    maps = Maps(None, why_none="there is no model")
    assert refused(maps) == (HTTPStatus.NOT_FOUND, "there is no model")
    assert maps.methods == ()


def test_a_method_that_does_not_fit_says_why():
    def make(_row, method):
        raise UnfitMethod(method, "it has no places")

    status, why = refused(Maps(make, METHODS))
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert why.startswith("grad-cam cannot explain this network: it has no places; --method")


@pytest.mark.parametrize("method", ["", "gradcam", "../occlusion", "__init__", "os"])
def test_only_methods_that_there_are_are_called(method):
    def make(*_):
        raise AssertionError

    status, why = refused(Maps(make, METHODS), method=method)
    assert status == HTTPStatus.BAD_REQUEST
    assert why.endswith("there are grad-cam, occlusion")


def test_one_at_a_time_and_not_too_many_wait():
    go, running, most = Event(), [], []

    def make(row, _method):
        running.append(row)
        most.append(len(running))
        go.wait(5)
        running.pop()
        return b"map"

    maps = Maps(make, METHODS)
    threads = [Thread(target=maps.get, args=(row, "grad-cam")) for row in range(MOST_WAITING)]
    for thread in threads:
        thread.start()
    while maps._waiting._value:
        pass
    assert refused(maps, row=99)[0] == HTTPStatus.SERVICE_UNAVAILABLE
    go.set()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert maps.get(99, "grad-cam").content == b"map"
