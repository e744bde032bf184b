"""The card of a run in the gallery. assets/gallery.js loads the pictures (`data-src`) once they are visible."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dash import html
from dash.development.base_component import Component

from nst.options.picture_roles import STYLE_ROLES
from nst.runs.humanize import count, duration
from nst.runs.run import Run, State
from nst.web import ids
from nst.web.components.urls import (
    instant_url,
    run_file,
    run_file_name,
    run_thumbnail_url,
    run_url,
    thumbnail_url,
)
from nst.web.service.service import Service

SOURCE_SIDE = 128  # px of the thumbnails of content and style


@dataclass(frozen=True)
class RunCard:
    """What a card shows."""

    run: Run
    favourite: bool
    pictures: dict[str, dict[str, str]]  # the content and the paintings by role, each {"ref", "title"}
    children: list[str]  # ids of runs branched from it

    @classmethod
    def of(cls, service: Service, run: Run, favourite: bool) -> "RunCard":
        """Make the card of a run. Reads the database."""
        uploads = {role: upload for role, upload in run.uploads.items() if role in ("content", *STYLE_ROLES)}
        pictures = {role: service.pictures.choice(each, run.names.get(role, "")) for role, each in uploads.items()}
        return cls(run, favourite, pictures, service.store.children(run))

    @property
    def version(self) -> list[Any]:
        """The run's id and what its card depends on: two cards are equal if their versions are."""
        return [self.run.id, self.run.last, self.favourite, len(self.children)]

    @property
    def title(self) -> str:
        """<content> after <style>, as titles of paintings name what they imitate."""
        return " after ".join(self._names())

    def _names(self) -> tuple[str, str]:
        """The titles of the content and of the paintings, without the suffixes of file names."""
        content, *styles = (re.sub(r"\.\w{2,5}$", "", picture["title"]) for picture in self.pictures.values())
        return content, " and ".join(styles)

    def component(self) -> Component:
        """Return the card as a component."""
        return html.Article(
            id=ids.run_card(self.run.id),
            className="run-card" if self.run.state.rests else "run-card run-card-active",
            **{"aria-label": self.title},
            children=[self._picture(), self._text(), self._actions()],
        )

    def _picture(self) -> Component:
        run = self.run
        size = {"width": run.width, "height": run.height} if run.width else {"width": 4, "height": 3}
        aspect = {"--width": size["width"], "--height": size["height"]}
        picture = html.Img(alt="", **size, **{"data-src": run_thumbnail_url(run)}) if run.frames else None
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
        label = "Take from the favourites" if self.favourite else "Make a favourite"
        return html.Button(
            "★" if self.favourite else "☆",
            className="star star-on" if self.favourite else "star",
            type="button",
            title=label,
            **self._action("unlike" if self.favourite else "like", label),
        )

    @property
    def _state(self) -> Component:
        state = self.run.state
        return html.Span("Instant" if self.run.fast else state.capitalize(), className=f"state state-{state}")

    def _text(self) -> Component:
        content, style = self._names()
        return html.Div(
            [
                html.Div(
                    [
                        html.Img(
                            alt="", title=picture["title"], **{"data-src": thumbnail_url(picture["ref"], SOURCE_SIDE)}
                        )
                        for picture in self.pictures.values()
                    ],
                    className="run-sources",
                ),
                html.Div(
                    [
                        html.Div([html.H3([content, html.Em(" after "), style], title=self.title), self._star()]),
                        html.P(
                            [
                                self._state,
                                html.Time(dateTime=datetime.fromtimestamp(self.run.created, UTC).isoformat()),
                            ]
                        ),
                        html.P("\u00a0· ".join(fact.replace(" ", "\u00a0") for fact in facts(self.run))),
                        *self._lineage(),
                    ]
                ),
            ],
            className="run-card-text",
        )

    def _lineage(self) -> list[Component]:
        run = self.run
        lines = []
        if run.parent:
            link = html.A("another run", href=run_url(run.parent), className="in-app")
            lines.append(html.P(["Branched from epoch ", str(run.first), " of ", link]))
        if self.children:
            links = [
                html.A(f"branch {n}", href=run_url(child), className="in-app")
                for n, child in enumerate(self.children, 1)
            ]
            lines.append(html.P(["Goes on in ", *(part for link in links for part in (link, ", "))][:-1]))
        return lines

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
        delete = html.Button(
            "Delete",
            type="button",
            disabled=not rests,
            title=None if rests else "Stop it first, in the studio",
            **self._action("delete", "Delete"),
        )
        return html.Div([*links, delete], className="actions")

    def _link(self, label: str, href: str, **more: Any) -> Component:
        return html.A(label, href=href, **more, **{"aria-label": f"{label}: {self.title}"})

    def _action(self, name: str, label: str) -> dict[str, str]:
        """The attributes from which assets/gallery.js knows what a button does, and the button's accessible name."""
        return {"data-do": name, "data-run": self.run.id, "aria-label": f"{label}: {self.title}"}


def facts(run: Run) -> list[str]:
    """Return a run's epochs, size, network and time as text, those of them that are known."""
    if run.fast:
        return ["one pass", f"{run.width} × {run.height} px", f"{run.seconds:.2f} s"]
    whole = run.state is State.FINISHED or not run.frames
    epochs = count(run.epochs, "epoch") if whole else f"epoch {run.epoch} of {run.epochs}"
    size = f"{run.width} × {run.height} px" if run.width else f"{run.options.size} px"
    network = run.extractor or run.options.extractor.replace("auto", "")
    return [fact for fact in (epochs, size, network, duration(run.seconds) if run.seconds else "") if fact]
