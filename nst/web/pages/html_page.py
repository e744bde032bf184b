"""A page without Dash: the frame around the body of /docs and of /login, with the studio's own looks."""

SHEET = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>nst studio: {title}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<script>document.documentElement.dataset.bsTheme = localStorage.getItem("theme") ||
(matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");</script>
<link rel="stylesheet" href="/assets/bootstrap.min.css">
<link rel="stylesheet" href="/assets/theme.css">
<link rel="stylesheet" href="/assets/studio.css">
<link rel="stylesheet" href="/assets/login.css">
</head>
<body class="{room}">
{main}
</body>
</html>"""


def sheet(title: str, main: str, room: str = "") -> str:
    """The page, as HTML; `main` is its body, in HTML, `room` a class that the style sheets know."""
    return SHEET.replace("{title}", title).replace("{room}", room).replace("{main}", main)
