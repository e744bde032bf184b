import threading

from nst.lru_cache import LruCache


def test_the_least_recently_used_value_makes_room() -> None:
    cache = LruCache[str, int](2)
    for key in "ab":
        cache.put(key, ord(key))
    assert cache.get("a") == 97  # so that b is the one used longest ago
    cache.put("c", 99)
    assert [cache.get(key) for key in "abc"] == [97, None, 99]
    cache.put("a", 1)
    assert cache.get_or_make("d", lambda: 2) == 2
    assert [cache.get(key) for key in "acd"] == [1, None, 2]


def test_values_of_more_bytes_than_it_may_hold_make_room_but_the_newest_stays() -> None:
    cache = LruCache[str, bytes](10, most_bytes=5)
    for key, value in (("a", b"123"), ("b", b"12"), ("c", b"1")):
        cache.put(key, value)
    assert [cache.get(key) for key in "abc"] == [None, b"12", b"1"]
    cache.put("d", b"123456")
    assert [cache.get(key) for key in "bcd"] == [None, None, b"123456"]


def test_a_value_is_made_once_and_threads_that_make_it_at_once_get_the_same() -> None:
    cache, both_make = LruCache[str, object](2), threading.Barrier(2, timeout=30)
    got: list[object] = []

    def make() -> object:
        both_make.wait()
        return object()

    threads = [threading.Thread(target=lambda: got.append(cache.get_or_make("a", make))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got[0] is got[1] is cache.get_or_make("a", object)
