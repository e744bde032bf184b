"""The parts of the application that the pages and the REST interface share."""

from nst.jobs.queue import Queue
from nst.jobs.storage.archive import Archive
from nst.jobs.storage.store import Store
from nst.options.settings import Settings
from nst.styles.style_library import Library
from nst.web.service.diagnoses import Diagnoses
from nst.web.service.fast_styles import FastStyles
from nst.web.service.forecasts import Forecasts
from nst.web.service.kept_results import KeptResults
from nst.web.service.permissions import Permissions
from nst.web.service.pictures import Pictures
from nst.web.service.result_cache import ResultCache
from nst.web.service.runs import Runs
from nst.web.service.server_states import ServerStates
from nst.web.service.style_pictures import StylePictures
from nst.web.service.timelapses import Timelapses
from nst.web.service.variations import VariationsService


class Service:
    """The parts by name. Most of their methods read files or the database: call those in a thread."""

    def __init__(self, settings: Settings, store: Store, queue: Queue, archive: Archive) -> None:
        self.settings, self.store, self.queue, self.archive = settings, store, queue, archive
        self.pictures = Pictures(store, archive)
        self.forecasts = Forecasts(store, queue, self.pictures)
        self.runs = Runs(store, queue, archive, self.pictures, self.forecasts)
        self.server_states = ServerStates(settings, store, queue, self.runs)
        self.variations = VariationsService(store, queue, archive, self.pictures, self.forecasts, self.runs)
        self.diagnoses = Diagnoses(store, queue)
        self.timelapses = Timelapses(store)
        self.library = Library(settings.data / "styles")
        self.fast_styles = FastStyles(queue, self.library, StylePictures(self.pictures))
        self.result_cache = ResultCache()
        self.kept_results = KeptResults(store, archive, self.pictures, self.library)
        self.permissions = Permissions(settings.many)
