"""The HTML document around the pages without Dash, /docs and /login, in the style of the others."""

import re

# Sets the theme before anything is drawn: a dark page would flash white.
THEME_SCRIPT = """{ let theme = null;
try { theme = localStorage.getItem("theme"); } catch { /* storage is switched off */ }
theme ||= matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
document.documentElement.dataset.bsTheme = theme; }"""

DOCUMENT = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>nst studio: {title}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<script>{theme_script}</script>
<link rel="stylesheet" href="/assets/bootstrap.min.css">
<link rel="stylesheet" href="/assets/theme.css">
<link rel="stylesheet" href="/assets/studio.css">
<link rel="stylesheet" href="/assets/login.css">
{head}
</head>
<body class="{body_class}">
{body}
</body>
</html>"""


def html_page(title: str, body: str, body_class: str = "", head: str = "") -> str:
    """Return the document; `body` and `head` are HTML, in which text from outside must be escaped."""
    parts = {"theme_script": THEME_SCRIPT, "title": title, "head": head, "body_class": body_class, "body": body}
    return re.sub(r"\{(\w+)\}", lambda found: parts[found[1]], DOCUMENT)
