"""A bounded cache in memory."""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class LruCache(Generic[Key, Value]):
    """Values by key, none of them None, from which the least recently used are dropped. Threads may share it."""

    def __init__(self, most: int, most_bytes: float = math.inf, size: Callable[[Any], int] = len) -> None:
        """Hold at most `most` values, and of several at most `most_bytes`; `size` is the bytes of a value."""
        self._most, self._most_bytes, self._size = most, most_bytes, size
        self._values: OrderedDict[Key, Value] = OrderedDict()  # the last one used comes last
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """The value of `key`; None if it is not held."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Key, value: Value) -> None:
        """Hold `value` under `key`, in place of another one."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            self._drop_oldest()

    def get_or_make(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value of `key`, made where none is held; all threads that make it at once get that of the first."""
        found = self.get(key)
        if found is None:
            made = make()  # without the lock: it may take long, and other keys are wanted meanwhile
            with self._lock:
                found = self._values.setdefault(key, made)
                self._drop_oldest()
        return found

    def _drop_oldest(self) -> None:
        while len(self._values) > 1 and (len(self._values) > self._most or self._bytes() > self._most_bytes):
            self._values.popitem(last=False)

    def _bytes(self) -> int:
        return 0 if self._most_bytes == math.inf else sum(map(self._size, self._values.values()))
