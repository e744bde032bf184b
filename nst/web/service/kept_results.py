"""Results of the Instant page that are kept: each is recorded as a run that has ended, beside those of the studio."""

import time
import uuid

from nst.jobs.storage.archive import Archive
from nst.jobs.storage.store import Store
from nst.options.picture_roles import STYLE_ROLES
from nst.options.style_options import StyleOptions
from nst.pictures import images, provenance
from nst.runs.run import Run, State
from nst.styles.style_library import Library
from nst.web.service.fast_styles import FastResult
from nst.web.service.pictures import Pictures, is_ref

GALLERY_SIDE, GALLERY_QUALITY = 1024, 85  # px and JPEG quality, of the picture that the gallery shows


class KeptResults:
    """Records results in a store. The method writes files: call it in a thread."""

    def __init__(self, store: Store, archive: Archive, pictures: Pictures, library: Library) -> None:
        self._store, self._archive, self._pictures, self._library = store, archive, pictures, library

    def keep(self, result: FastResult, photo: str, client: str = "") -> Run:
        """Record a result of the picture with the reference `photo`; returns the run.

        Raises NotFound if the picture or a style was removed meanwhile, Busy and DiskFull.
        """
        self._archive.check_capacity("")
        found = provenance.read_fast(result.data, "the result")
        uploads, names = [self._pictures.upload_id(photo)], [self._pictures.choice_of(photo)["title"]]
        for style in sorted(result.mix, key=lambda style: -result.mix[style]):
            upload, title = self._painting(style, client)
            uploads.append(upload)
            names.append(title)
        picture = images.read(result.data, "the result", most_bytes=len(result.data)).rgb
        run = Run(
            id=uuid.uuid4().hex,
            created=time.time(),
            options=StyleOptions(),
            content=uploads[0],
            style=uploads[1],
            more_styles=tuple(uploads[2:]),
            names=dict(zip(("content", *STYLE_ROLES), names, strict=False)),
            client=client,
            state=State.FINISHED,
            frames=1,
            width=result.width,
            height=result.height,
            seconds=result.seconds,
            seconds_left=0.0,
            has_result=True,
            fast=found.to_json(),
        )
        frame = images.reduced_jpeg(picture, GALLERY_SIDE, GALLERY_QUALITY)
        with self._store.files.removed_after_error(run.id):
            self._store.files.write_ended(run, frame, result.data)
            self._store.restore_run(run, [(run.epoch, len(frame))])
        return self._store.run(run.id)

    def _painting(self, style: str, client: str) -> tuple[str, str]:
        """(the id of an upload, the title) of a painting, or of the picture in the file of a named style."""
        if is_ref(style):
            return self._pictures.upload_id(style), self._pictures.choice_of(style)["title"]
        found = self._library.find(style).style
        return self._archive.put_upload(found.picture, found.title, client), found.title
