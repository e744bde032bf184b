"""One run as a picture on the gallery's wall, with its placard. The page's script loads what comes into sight."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dash import html
from dash.development.base_component import Component

from nst.humanize import count, duration
from nst.runs.run import Run, State
from nst.web import ids
from nst.web.components.form import address
from nst.web.service.service import Service

SIDE, SMALL = 512, 128  # px of the thumbnails of a result, and of the pictures it was made of


@dataclass(frozen=True)
class Card:
    """What a card shows."""

    run: Run
    liked: bool
    pictures: dict[str, dict[str, str]]  # "content" and "style", each {"ref", "title"}
    children: list[str]  # ids of runs branched from it

    @classmethod
    def of(cls, service: Service, run: Run, liked: bool) -> "Card":
        """The card of a run. Reads the database."""
        pictures = {"content": service.pictures.choice(run.content), "style": service.pictures.choice(run.style)}
        return cls(run, liked, pictures, service.store.children(run))

    @property
    def mark(self) -> list[Any]:
        """Differs from the mark of any other card, and of what this one was before it last changed."""
        return [self.run.id, self.run.last, self.liked, len(self.children)]

    @property
    def title(self) -> str:
        """Which picture, after which: as one says of a painting."""
        return " after ".join(self._names())

    def _names(self) -> list[str]:
        """The pictures' titles; those of files without their suffix."""
        return [re.sub(r"\.\w{2,5}$", "", picture["title"]) for picture in self.pictures.values()]

    def component(self) -> Component:
        """The card."""
        return html.Article(
            id=ids.card(self.run.id),
            className="painting" if self.run.state.rests else "painting painting-going",
            **{"aria-label": self.title},
            children=[self._picture(), self._placard(), self._actions()],
        )

    def _picture(self) -> Component:
        run = self.run
        size = {"width": run.width, "height": run.height} if run.width else {"width": 4, "height": 3}
        shape = {"--width": size["width"], "--height": size["height"]}
        picture = html.Img(alt="", **size, **{"data-src": picture_of(run)}) if run.frames else None
        progress = html.Progress(
            value=str(run.epoch), max=str(run.epochs or 1), **{"aria-label": "Progress"}, hidden=run.state.rests
        )
        # A second way to what `Open` opens; one is enough for keyboards and screen readers.
        link = html.A(
            [picture, progress],
            href=page_of(run.id),
            className="inside canvas-of",
            style=shape,
            tabIndex=-1,
            **{"aria-hidden": "true"},
        )
        return html.Div(link, className="mount")

    def _star(self) -> Component:
        word = "Take from the favourites" if self.liked else "Make a favourite"
        return html.Button(
            "★" if self.liked else "☆",
            className="star star-on" if self.liked else "star",
            type="button",
            title=word,
            **self._wish("unlike" if self.liked else "like", word),
        )

    def _placard(self) -> Component:
        content, style = self._names()
        return html.Div(
            [
                html.Div(
                    [
                        html.Img(alt="", title=picture["title"], **{"data-src": address(picture["ref"], SMALL)})
                        for picture in self.pictures.values()
                    ],
                    className="made-of",
                ),
                html.Div(
                    [
                        html.Div([html.H3([content, html.Em(" after "), style], title=self.title), self._star()]),
                        html.P(
                            [
                                html.Span(self.run.state.capitalize(), className=f"state state-{self.run.state}"),
                                html.Time(dateTime=datetime.fromtimestamp(self.run.created, UTC).isoformat()),
                            ]
                        ),
                        html.P("\u00a0· ".join(fact.replace(" ", "\u00a0") for fact in facts(self.run))),
                        *self._family(),
                    ]
                ),
            ],
            className="placard",
        )

    def _family(self) -> list[Component]:
        run = self.run
        lines = []
        if run.parent:
            link = html.A("another run", href=page_of(run.parent), className="inside")
            lines.append(html.P(["Branched from epoch ", str(run.first), " of ", link]))
        if self.children:
            links = [
                html.A(f"branch {n}", href=page_of(child), className="inside")
                for n, child in enumerate(self.children, 1)
            ]
            lines.append(html.P(["Goes on in ", *(part for link in links for part in (link, ", "))][:-1]))
        return lines

    def _actions(self) -> Component:
        run, file = self.run, picture_file(self.run)
        rests = run.state.rests
        links = [
            self._link("Open", page_of(run.id), className="inside"),
            self._link("Use these settings", f"/?like={run.id}", className="inside"),
        ]
        if file:
            address = f"/api/v1/runs/{run.id}/{file}"
            links.append(self._link("Download", address, download=f"painting-{run.id[:8]}{file[-4:]}"))
        delete = html.Button(
            "Delete",
            type="button",
            disabled=not rests,
            title=None if rests else "Stop it first, in the studio",
            **self._wish("delete", "Delete"),
        )
        return html.Div([*links, delete], className="actions")

    def _link(self, words: str, href: str, **more: Any) -> Component:
        return html.A(words, href=href, **more, **{"aria-label": f"{words}: {self.title}"})

    def _wish(self, what: str, words: str) -> dict[str, str]:
        """What the page's script reads of a button, and what it is called."""
        return {"data-do": what, "data-run": self.run.id, "aria-label": f"{words}: {self.title}"}


def facts(run: Run) -> list[str]:
    """Epochs, size, network and time of a run, in words."""
    whole = run.state is State.FINISHED or not run.frames
    epochs = count(run.epochs, "epoch") if whole else f"epoch {run.epoch} of {run.epochs}"
    size = f"{run.width} × {run.height} px" if run.width else f"{run.options.size} px"
    network = run.extractor or run.options.extractor.replace("auto", "")
    return [fact for fact in (epochs, size, network, duration(run.seconds) if run.seconds else "") if fact]


def picture_of(run: Run) -> str:
    """Where the thumbnail of a run with frames is; another address whenever it has changed."""
    return f"/api/v1/runs/{run.id}/thumbnail.jpg?side={SIDE}&last={run.last}"


def picture_file(run: Run) -> str:
    """The file that is worth keeping of a run, below its address: its result, else its last frame, else ""."""
    if run.has_result:
        return "result.png"
    return f"frames/{run.epoch}.jpg" if run.frames else ""


def page_of(run_id: str) -> str:
    """The address at which the studio shows a run."""
    return f"/?run={run_id}"
