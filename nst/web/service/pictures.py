"""The pictures that runs are made of: uploads and samples.

A picture is named by a reference, "samples/<name>" or "uploads/<id>", which is also its path below /api/v1. Where
several people share the studio, an upload is found by the clients that sent it or have a run of it: its id is a hash,
which whoever has the picture or a result can know.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from nst.errors import NotFound, OptionError
from nst.jobs.storage.archive import Archive
from nst.jobs.storage.store import Store
from nst.lru_cache import LruCache
from nst.options.picture_roles import STYLE_ROLES
from nst.pictures import images
from nst.pictures.samples import SAMPLES, Sample, find, sample_of
from nst.web.current_client import current_client

Shape = tuple[int, int]  # (height, width), px

MOST_THUMBNAILS, MOST_SHAPES = 256, 100_000  # that stay in memory
MOST_THUMBNAIL_BYTES = 64 * 2**20  # of those thumbnails together
ORIGINAL_SIDE = 1536  # px at which the Instant page shows a picture beside its result; samples are smaller
MAX_NAME_LENGTH = 255  # characters of an upload's name, of which the end is cut
PROBED_SIDE = 64  # px to which a picture is decoded when only its size is asked for, or whether it can be read


class Pictures:
    """The uploads of a store and the samples. The methods read files: call them in a thread."""

    def __init__(self, store: Store, archive: Archive) -> None:
        self._store, self._archive = store, archive
        self._shapes = LruCache[str, Shape](MOST_SHAPES)  # by reference
        self._thumbnails = LruCache[tuple[str, int], bytes](MOST_THUMBNAILS, MOST_THUMBNAIL_BYTES)  # by (upload, side)
        self._sample_pngs = LruCache[str, bytes](len(SAMPLES))  # by name

    def keep(self, data: bytes, name: str) -> str:
        """Store `data`, the bytes of a picture file, as an upload of the current client; returns its reference.

        Raises ImageError, Busy, DiskFull.
        """
        name = file_name(name)
        shape = _shape(data, name)
        ref = f"uploads/{self._archive.put_upload(data, name, current_client())}"
        self._shapes.put(ref, shape)
        return ref

    def check_use(self, ref: str) -> None:
        """Check that the current client may use a picture, if it is stored. Raises NotFound for another client's."""
        kind, _, name = ref.partition("/")
        if kind != "samples":
            self._store.check_upload(name, current_client())

    def read(self, ref: str) -> bytes:
        """Read the file of a picture. Raises NotFound."""
        self.check_use(ref)
        return self._read(ref)

    def _read(self, ref: str) -> bytes:
        kind, _, name = ref.partition("/")
        return _sample(name).path.read_bytes() if kind == "samples" else self._store.upload(name)

    def thumbnail(self, ref: str, side: int) -> bytes:
        """Return the thumbnail of a picture, a JPEG within `side` x `side` px. Raises NotFound, Busy."""
        self.check_use(ref)
        kind, _, name = ref.partition("/")
        if kind == "samples":
            return _sample(name).thumbnail(side).read_bytes()
        return self._thumbnail(name, side)

    def original(self, ref: str) -> bytes:
        """Return a picture within `ORIGINAL_SIDE` px, a JPEG. Raises NotFound, Busy."""
        self.check_use(ref)
        kind, _, name = ref.partition("/")
        return self._read(ref) if kind == "samples" else self._thumbnail(name, ORIGINAL_SIDE)

    def original_in_run(self, upload_id: str) -> bytes:
        """Return an upload of a run, whoever's it is, as `original` does. Raises NotFound, Busy."""
        return self._thumbnail(upload_id, ORIGINAL_SIDE)

    def _thumbnail(self, upload_id: str, side: int) -> bytes:
        return self._thumbnails.get_or_make(
            (upload_id, side), lambda: images.thumbnail(self._store.upload(upload_id), side)
        )

    def sample_png(self, name: str) -> bytes:
        """Return a sample as PNG. Raises NotFound."""
        path = _sample(name).path
        return self._sample_pngs.get_or_make(name, lambda: images.encode_png(images.read_file(path).rgb))

    def upload_id(self, ref: str) -> str:
        """Return the id of the upload that `ref` names, to use in a run; a sample is stored as one. Raises NotFound."""
        self.check_use(ref)
        kind, _, name = ref.partition("/")
        if kind == "samples":
            return self._archive.put_upload(_sample(name).path.read_bytes(), ref)
        return self._store.use_upload(name)

    def choice(self, upload_id: str, name: str | None = None) -> dict[str, str]:
        """Return {"ref", "title"} of an upload, as a chooser stores it; of the sample if the upload is a copy of one.

        `name` is that of its file, "" if it is unknown; None is the last one that the current client gave with it.
        Raises NotFound.
        """
        if name is None:
            name = self._store.upload_name(upload_id, current_client())
        if sample := sample_of(name):
            return {"ref": name, "title": sample.title}
        return {"ref": f"uploads/{upload_id}", "title": name or "a picture"}

    def choice_of(self, ref: str, name: str | None = None) -> dict[str, str]:
        """Return `choice` of a picture by its reference. Raises NotFound, also for another client's."""
        self.check_use(ref)
        kind, _, key = ref.partition("/")
        return {"ref": ref, "title": _sample(key).title} if kind == "samples" else self.choice(key, name)

    def choices(
        self, uploads: Mapping[str, str], names: Mapping[str, str], roles: Sequence[str] = ("content", *STYLE_ROLES)
    ) -> dict[str, dict[str, str]]:
        """Return {"ref", "title"} of those uploads of a run that have one of `roles`, by role.

        `names` are those of their files, as far as the run has them. A picture that is not stored any more has a title.
        """
        shown = {role: upload for role, upload in uploads.items() if role in roles}
        return {role: self._choice_or_title(upload, names.get(role)) for role, upload in shown.items()}

    def _choice_or_title(self, upload_id: str, name: str | None) -> dict[str, str]:
        try:
            return self.choice(upload_id, name)
        except NotFound:
            return {"ref": f"uploads/{upload_id}", "title": "a picture that was removed"}

    def shape(self, ref: str) -> Shape:
        """Return (height, width) of a picture in px, after its EXIF rotation. Raises NotFound, Busy."""
        self.check_use(ref)
        return self._shape_of(ref)

    def shape_in_run(self, upload_id: str) -> Shape:
        """Return (height, width) of an upload of a run, whoever's it is, as `shape` does. Raises NotFound, Busy."""
        return self._shape_of(f"uploads/{upload_id}")

    def _shape_of(self, ref: str) -> Shape:
        return self._shapes.get_or_make(ref, lambda: _shape(self._read(ref), ref.partition("/")[2]))


def names_of_uploads(refs: Mapping[str, str], names: Mapping[str, str] | None) -> dict[str, str]:
    """Return the names of files, by role, of those pictures in `refs` that are uploads."""
    return {role: file_name(name) for role, name in (names or {}).items() if refs.get(role, "").startswith("uploads/")}


def names_of_files(names: Mapping[str, str]) -> dict[str, str]:
    """Return those of a run's `names`, by role, that are of files and not of samples."""
    return {role: name for role, name in names.items() if not is_ref(name)}


def without_suffix(name: str) -> str:
    """Return the name of a file without its suffix; a title has none."""
    return re.sub(r"\.\w{2,5}$", "", name)


def file_name(path: str) -> str:
    """Return the name of an uploaded file without its folder: only names of samples have a slash."""
    return path.rpartition("/")[2][:MAX_NAME_LENGTH]


def is_ref(given: Any) -> bool:
    """Whether `given` is the reference of a stored picture; no name of a style and no base64 begins like this."""
    return isinstance(given, str) and given.startswith(("samples/", "uploads/"))


def _sample(name: str) -> Sample:
    """Return the sample called `name`. Raises NotFound."""
    try:
        return find(name)
    except OptionError as error:
        raise NotFound(str(error)) from error


def _shape(data: bytes, name: str) -> Shape:
    picture = images.read(data, name, PROBED_SIDE)
    return picture.height, picture.width
