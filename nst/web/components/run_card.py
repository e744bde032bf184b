"""The card of a run in the gallery. assets/gallery.js loads the pictures (`data-src`) once they are visible."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dash import html
from dash.development.base_component import Component

from nst.jobs.storage.archive import Annotations
from nst.options.style_options import StyleOptions
from nst.runs.humanize import count, duration
from nst.runs.run import Run, State
from nst.web import ids
from nst.web.components.card_buttons import action, star
from nst.web.components.form.option_fields import choice_label
from nst.web.components.run.history import lineage, relatives
from nst.web.components.run.result_tools import USES, use_url
from nst.web.components.settings_text import MOST_DIFFERING, titled
from nst.web.components.urls import (
    instant_url,
    run_file,
    run_file_name,
    run_thumbnail_url,
    run_url,
    thumbnail_url,
)
from nst.web.service.runs import title_of
from nst.web.service.service import Service

SOURCE_SIDE = 128  # px of the thumbnails of content and style
SHOWN_ANYWAY = ("epochs", "size", "extractor")  # differing settings that are among the facts


@dataclass(frozen=True)
class RunCard:
    """What a card shows."""

    run: Run
    annotations: Annotations
    pictures: dict[str, dict[str, str]]  # the content and the paintings by role, each {"ref", "title"}
    further: dict[str, dict[str, str]]  # the picture that it starts from and its mask, in the same way
    relatives: dict[str, str]  # see `relatives` in history.py
    differing: dict[str, str] = field(default_factory=dict)  # see `differing_settings`

    @classmethod
    def of(cls, service: Service, run: Run, differing: dict[str, str] | None = None) -> "RunCard":
        """Make the card of a run. Reads the database."""
        runs, added = service.runs, service.archive.annotations(run.id)
        pictures = runs.pictures(run), runs.further_pictures(run)
        return cls(run, added, *pictures, relatives(service, run), differing or {})

    @property
    def version(self) -> list[Any]:
        """The run's id and what its card depends on: two cards are equal if their versions are."""
        added = self.annotations
        return [self.run.id, self.run.last, added.favorite, added.name, added.notes, self.relatives, self.differing]

    @property
    def title(self) -> str:
        """The name of the run; of one without, <content> after <style>."""
        return self.annotations.name or title_of(self.pictures)

    @property
    def title_apart(self) -> str:
        """The title with what tells the run from others of the same pictures, unless it has a name."""
        return self.title if self.annotations.name else titled(self.title, self.differing.values())

    def component(self) -> Component:
        """Return the card as a component."""
        return html.Article(
            id=ids.run_card(self.run.id),
            className="run-card" if self.run.state.rests else "run-card run-card-active",
            **{"aria-label": self.title_apart},
            children=[self._picture(), self._text(), self._actions()],
        )

    def _picture(self) -> Component:
        run = self.run
        size = {"width": run.width, "height": run.height} if run.width else {"width": 4, "height": 3}
        aspect = {"--width": size["width"], "--height": size["height"]}
        picture = _picture(run_thumbnail_url(run), **size) if run.frames else None
        progress = html.Progress(
            value=str(run.epoch), max=str(run.epochs or 1), **{"aria-label": "Progress"}, hidden=run.state.rests
        )
        # The same link as "Open" below, which is enough for keyboards and screen readers.
        link = html.A(
            [picture, progress],
            href=self._url,
            className="in-app run-picture",
            style=aspect,
            tabIndex=-1,
            **{"aria-hidden": "true"},
        )
        return html.Div(link, className="run-card-picture")

    @property
    def _url(self) -> str:
        return instant_url(self.run) if self.run.fast else run_url(self.run.id)

    def _star(self) -> Component:
        label = "Take from the favorites" if self.annotations.favorite else "Make a favorite"
        return star(self.run.id, self.annotations.favorite, label, self.title)

    @property
    def _state(self) -> Component:
        state = self.run.state
        return html.Span("Instant" if self.run.fast else state.capitalize(), className=f"state state-{state}")

    def _text(self) -> Component:
        return html.Div(
            [
                html.Div(
                    [
                        _picture(thumbnail_url(picture["ref"], SOURCE_SIDE), title=picture["title"])
                        for picture in self.pictures.values()
                    ],
                    className="run-sources",
                ),
                html.Div(
                    [
                        html.Div([html.H3(self.title, title=self.title), self._star()]),
                        html.P(
                            [
                                self._state,
                                html.Time(dateTime=datetime.fromtimestamp(self.run.created, UTC).isoformat()),
                            ]
                        ),
                        *self._named_after(),
                        html.P("\u00a0· ".join(fact.replace(" ", "\u00a0") for fact in facts(self.run))),
                        *self._what_differs(),
                        *([html.P(lines)] if (lines := lineage(self.run, self.relatives)) else []),
                        *([html.P(self.annotations.notes, className="notes")] if self.annotations.notes else []),
                    ]
                ),
            ],
            className="run-card-text",
        )

    def _what_differs(self) -> list[Component]:
        """What tells the run from others of the same pictures, but for facts, which each card shows."""
        texts = [text for name, text in self.differing.items() if name not in SHOWN_ANYWAY][:MOST_DIFFERING]
        return [html.P(" · ".join(texts), className="differing")] if texts else []

    def _named_after(self) -> list[Component]:
        """What a run with a name was painted after."""
        return [html.P(title_of(self.pictures))] if self.annotations.name else []

    def _actions(self) -> Component:
        run, file = self.run, run_file(self.run)
        rests = run.state.rests
        links = [
            self._link("Open", self._url, className="in-app"),
            *([] if run.fast else [self._link("Use these settings", f"/?like={run.id}", className="in-app")]),
        ]
        if file:
            address = f"/api/v1/runs/{run.id}/{file}"
            links.append(self._link("Download", address, download=run_file_name(run, file)))
        if run.has_result:
            links += [self._link(text, use_url(run.id, role), className="in-app") for role, text in USES.items()]
        if run.frames:
            links.append(
                html.Button(
                    "Compare",
                    id=ids.compare_button(run.id),
                    type="button",
                    **{"aria-pressed": "false", "aria-label": f"Compare: {self.title_apart}"},
                )
            )
        delete = html.Button(
            "Delete",
            type="button",
            disabled=not rests,
            title=None if rests else "Stop it first, in the studio",
            **action("delete", run.id, f"Delete: {self.title_apart}"),
        )
        return html.Div([*links, delete], className="actions")

    def _link(self, label: str, href: str, **more: Any) -> Component:
        return html.A(label, href=href, **more, **{"aria-label": f"{label}: {self.title_apart}"})


def _picture(address: str, **more: Any) -> Component:
    """A picture that is loaded when it is seen. Another address makes another element, which never shows the old."""
    return html.Img(alt="", key=address, **more, **{"data-src": address})


def facts(run: Run) -> list[str]:
    """Return a run's epochs, size, network and time as text, those of them that are known."""
    if run.fast:
        return ["one pass", f"{run.width} × {run.height} px", f"{run.seconds:.2f} s"]
    whole = run.state is State.FINISHED or not run.frames
    epochs = count(run.epochs, "epoch") if whole else f"epoch {run.epoch} of {run.epochs}"
    size = f"{run.width} × {run.height} px" if run.width else f"{run.options.size} px"
    network = run.extractor or run.options.extractor.replace("auto", "")
    known = [
        epochs,
        size,
        choice_label(StyleOptions.option("extractor"), network) if network else "",
        "masked" if run.mask else "",
        duration(run.seconds) if run.seconds else "",
        "steered" if run.steered else "",
    ]
    return [fact for fact in known if fact]
