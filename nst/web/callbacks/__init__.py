"""Dash callbacks, one module for each part of the pages. Every server-side callback is `async def`."""

from dash import Dash

from nst.web.callbacks import (
    compare,
    estimate,
    gallery,
    history,
    inputs,
    instant,
    mask,
    navigation,
    network,
    presets,
    restore,
    reuse,
    run,
    sliders,
    steering,
    style_grid,
    style_mix,
    vary,
)
from nst.web.service.service import Service

MODULES = (
    *(navigation, inputs, style_mix, mask, sliders, presets, estimate, run, network),
    *(steering, history, restore, reuse, gallery, compare),
    *(style_grid, instant, vary),
)


def register(app: Dash, service: Service) -> None:
    """Register the callbacks of every module with `app`."""
    for module in MODULES:
        module.register(app, service)
