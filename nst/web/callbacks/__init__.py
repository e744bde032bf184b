"""Dash callbacks, one module for each part of the pages. Every server-side callback is `async def`."""

from dash import Dash

from nst.web.callbacks import compare, gallery, instant, navigation, refine, style_grid, toast, vary
from nst.web.callbacks.form import chooser, estimate, mask, network, presets, settings_upload, sliders, style_mix
from nst.web.callbacks.run import diagnosis, history, result_tools, start_and_poll, steering
from nst.web.service.service import Service

MODULES = (
    *(navigation, toast, chooser, style_mix, mask, sliders, presets, estimate, start_and_poll, network),
    *(steering, history, diagnosis, settings_upload, result_tools, gallery, compare),
    *(style_grid, instant, refine, vary),
)


def register(app: Dash, service: Service) -> None:
    """Register the callbacks of every module with `app`."""
    for module in MODULES:
        module.register(app, service)
