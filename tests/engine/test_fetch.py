import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nst.engine.networks import weights
from nst.errors import WeightsError
from tests.engine.files import FILE, SHAPES, Server, fetch, left_in_the_cache, md5, same

pytestmark = pytest.mark.usefixtures("empty_caches")


def test_a_download_is_installed_and_loads(server, layers, tmp_path):
    path, told = fetch(server)
    assert path == weights.locate("vgg19")
    assert same(weights.load("vgg19", SHAPES), layers)
    assert told == sorted(told)
    assert told[-1] == (len(server.data), len(server.data))
    assert {size for _, size in told} == {len(server.data)}
    assert left_in_the_cache(tmp_path) == [FILE]


def test_what_is_there_is_not_fetched_again_unless_it_is_damaged(server):
    path, _ = fetch(server)
    assert fetch(server)[1] == [(len(server.data), len(server.data))]
    assert len(server.asked) == 1
    path.write_bytes(path.read_bytes()[:-1000])
    assert fetch(server)[0].read_bytes() == server.data


def test_a_download_that_was_cut_off_goes_on_where_it_stopped(server, tmp_path):
    server.plan = ["cuts off", "cuts off"]
    path, told = fetch(server)
    half = len(server.data) // 2
    three_quarters = half + (len(server.data) - half) // 2
    assert server.asked == [None, f"bytes={half}-", f"bytes={three_quarters}-"]
    assert path.read_bytes() == server.data
    assert {size for _, size in told} == {len(server.data)}
    assert left_in_the_cache(tmp_path) == [FILE]


def test_a_later_call_goes_on_too(server, tmp_path):
    server.plan = ["cuts off"]
    with pytest.raises(WeightsError, match=r"the connection broke after \d+ of \d+ bytes; gave up after 1 attempt"):
        fetch(server, attempts=1)
    assert left_in_the_cache(tmp_path) == [f"{FILE}.part"]
    assert weights.locate("vgg19") is None
    assert fetch(server)[0].read_bytes() == server.data
    assert server.asked[1] == f"bytes={len(server.data) // 2}-"


@pytest.mark.parametrize("behaviour", ["ignores ranges", "sends another range"])
def test_a_server_that_does_not_continue_is_listened_to_from_the_start(behaviour, server):
    server.plan = ["cuts off", behaviour]
    assert fetch(server)[0].read_bytes() == server.data


def test_a_server_that_names_no_length_is_believed_by_the_hash(server):
    server.plan = ["says no length"]
    path, told = fetch(server)
    assert path.read_bytes() == server.data
    assert told[0][1] == 0


def test_a_server_that_stalls_is_given_up_and_asked_again(server):
    server.plan = ["stalls"]
    assert fetch(server, timeout=0.2)[0].read_bytes() == server.data
    assert len(server.asked) == 2


def test_a_server_that_only_stalls_is_an_error_in_words(server):
    server.plan = ["stalls"] * 2
    with pytest.raises(WeightsError, match=r"no byte came for 0\.2 s; gave up after 2 attempts"):
        fetch(server, timeout=0.2, attempts=2)


def test_a_file_with_another_hash_is_never_installed(server, tmp_path):
    server.plan = ["lies"]
    with pytest.raises(WeightsError, match=f"nothing was installed .* must be {md5(server.data)}, got [0-9a-f]{{32}}"):
        fetch(server)
    assert len(server.asked) == 1
    assert left_in_the_cache(tmp_path) == []


def test_a_wrong_beginning_is_thrown_away_and_fetched_again(server, tmp_path):
    part = tmp_path / "cache" / "weights" / f"{FILE}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"from another time")
    assert fetch(server)[0].read_bytes() == server.data
    part.write_bytes(b"y" * (len(server.data) + 1))
    weights.locate("vgg19").unlink()
    assert fetch(server)[0].read_bytes() == server.data
    assert server.asked == ["bytes=17-", None, f"bytes={len(server.data) + 1}-", None]


def test_a_part_that_is_complete_already_is_installed_without_asking(server, tmp_path):
    part = tmp_path / "cache" / "weights" / f"{FILE}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(server.data)
    assert fetch(server)[0].read_bytes() == server.data
    assert server.asked == []


@pytest.mark.parametrize(("status", "asked"), [(404, 1), (403, 1), (500, 3), (503, 3), (429, 3)])
def test_an_error_of_the_server_is_told_and_only_tried_again_where_that_may_help(status, asked, server, tmp_path):
    server.plan = [status] * 3
    with pytest.raises(WeightsError, match=f"{re.escape(server.url)}: the server answered {status} "):
        fetch(server)
    assert len(server.asked) == asked
    assert left_in_the_cache(tmp_path) == []


def test_a_server_that_is_not_there_is_an_error_in_words(notop):
    with Server(notop.read_bytes()) as gone:
        pass
    with pytest.raises(WeightsError, match=r"could not download http://127\.0\.0\.1.*refused"):
        fetch(gone)


def test_an_address_that_is_no_web_address_is_refused(server):
    with pytest.raises(WeightsError, match=r"must begin with http:// or https://, got 'file:///etc/passwd'"):
        fetch(server, url="file:///etc/passwd")


def test_offline_nothing_is_asked(server, monkeypatch):
    monkeypatch.setenv("NST_OFFLINE", "1")
    with pytest.raises(WeightsError, match="NST_OFFLINE forbids it"):
        fetch(server)
    assert server.asked == []


def test_offline_what_is_there_is_still_found(server, monkeypatch):
    path, _ = fetch(server)
    monkeypatch.setenv("NST_OFFLINE", "1")
    assert fetch(server)[0] == path


def test_a_file_larger_than_the_free_disk_is_refused_before_it_is_received(server):
    server.plan = ["promises the moon"]
    with pytest.raises(WeightsError, match=r"cannot keep the weights of vgg19 in .*: the disk is full"):
        fetch(server)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full to write to")
def test_a_disk_that_fills_up_on_the_way_is_told(server, tmp_path):
    part = tmp_path / "cache" / "weights" / f"{FILE}.part"
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")
    with pytest.raises(WeightsError, match="the disk is full"):
        fetch(server)
    assert weights.locate("vgg19") is None


def test_a_cache_that_cannot_be_made_is_told(server, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("NST_CACHE", str(tmp_path / "file"))
    with pytest.raises(WeightsError, match="cannot keep the weights of vgg19"):
        fetch(server)


def test_threads_that_fetch_at_once_share_one_download(server):
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(fetch(server)[0].read_bytes())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [server.data] * 4
    assert len(server.asked) == 1


ELSEWHERE = """
import runpy, sys
runpy.run_path(sys.argv[1])["fetch"]("vgg19", lambda *_: None, sys.argv[2], md5=sys.argv[3], pause=0)
assert not {"keras", "tensorflow"} & set(sys.modules)
"""


def test_processes_that_fetch_at_once_share_one_download_and_need_no_tensorflow(server, tmp_path):
    server.plan = ["cuts off"]
    file = Path(weights.__file__)
    command = [sys.executable, "-c", ELSEWHERE, file, server.url, md5(server.data)]
    environment = {**os.environ, "PYTHONPATH": str(file.parents[2])}
    started = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[1] for process in started] == [""] * 3
    assert weights.locate("vgg19").read_bytes() == server.data
    assert len(server.asked) == 2
    assert left_in_the_cache(tmp_path) == [FILE]
