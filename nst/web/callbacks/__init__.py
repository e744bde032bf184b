"""Dash callbacks, one module for each part of the page; all of them are `async def`."""

from dash import Dash

from nst.web.callbacks import estimate, gallery, history, inputs, instant, network, restore, run, steering
from nst.web.service.service import Service

MODULES = (inputs, estimate, run, network, steering, history, restore, gallery, instant)


def register(app: Dash, service: Service) -> None:
    """Attach every callback to `app`."""
    for module in MODULES:
        module.register(app, service)
