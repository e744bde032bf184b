"""The pictures that runs are made of: uploads and samples.

A picture is named by a reference, "samples/<name>" or "uploads/<id>", which is also its path below /api/v1.
"""

from nst.jobs.store import Store
from nst.pictures import images
from nst.web.service.samples import ORDER, Samples

Shape = tuple[int, int]  # (height, width), px

MAX_NAME_LENGTH = 255  # characters of an upload's name, of which the end is cut
DECODED_SIDE = 64  # px to which a picture is decoded when only its size is asked for, or whether it can be read


class Pictures:
    """The uploads of a store and the samples. The methods read files: call them in a thread."""

    def __init__(self, store: Store, samples: Samples) -> None:
        self._store, self._samples = store, samples
        self._shapes: dict[str, Shape] = {}  # by reference

    def keep(self, data: bytes, name: str) -> str:
        """Store `data`, the bytes of a picture file, as an upload; returns its reference. Raises ImageError."""
        name = name.rpartition("/")[2][:MAX_NAME_LENGTH]  # only names of samples have a slash
        shape = _shape(data, name)
        ref = f"uploads/{self._store.put_upload(data, name)}"
        self._shapes[ref] = shape
        return ref

    def read(self, ref: str) -> bytes:
        """Read the file of a picture. Raises NotFound."""
        kind, _, name = ref.partition("/")
        return self._samples.path(name).read_bytes() if kind == "samples" else self._store.upload(name)

    def thumbnail(self, ref: str, side: int) -> bytes:
        """Make the thumbnail of a picture, a JPEG within `side` x `side` px. Raises NotFound."""
        kind, _, name = ref.partition("/")
        if kind == "samples":
            return self._samples.thumbnail(name, side).read_bytes()
        return images.thumbnail(self._store.upload(name), side)

    def upload_id(self, ref: str) -> str:
        """Return the id of the upload that `ref` names, to use in a run; a sample is stored as one. Raises NotFound."""
        kind, _, name = ref.partition("/")
        if kind == "samples":
            return self._store.put_upload(self._samples.path(name).read_bytes(), ref)
        return self._store.use_upload(name)

    def choice(self, upload_id: str) -> dict[str, str]:
        """Return {"ref", "title"} of an upload, as a chooser stores it; of the sample if the upload is a copy of one.

        Raises NotFound.
        """
        name = self._store.upload_name(upload_id)
        sample = next((sample for sample in ORDER if f"samples/{sample.name}" == name), None)
        if sample:
            return {"ref": name, "title": sample.title}
        return {"ref": f"uploads/{upload_id}", "title": name or "a picture"}

    def shape(self, ref: str) -> Shape:
        """Return (height, width) of a picture in px, after its EXIF rotation. Raises NotFound."""
        if ref not in self._shapes:
            self._shapes[ref] = _shape(self.read(ref), ref.partition("/")[2])
        return self._shapes[ref]


def _shape(data: bytes, name: str) -> Shape:
    picture = images.read(data, name, DECODED_SIDE)
    return picture.height, picture.width
