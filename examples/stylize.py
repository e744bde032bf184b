"""Paint a sample picture and wait for it, with nothing but Python: `python examples/stylize.py [painting.png]`.

Then the same picture in one pass, in the first of the fast styles, beside it as NAME-fast.png.
NST_URL says where the studio is.
"""

import base64
import json
import os
import sys
import urllib.request

API = os.environ.get("NST_URL", "http://127.0.0.1:8050") + "/api/v1"


def sample(name: str) -> str:
    """A sample picture, in base64."""
    with urllib.request.urlopen(f"{API}/samples/{name}.png") as answer:
        return base64.b64encode(answer.read()).decode()


body = {"content": sample("harbour"), "style": sample("night-wind"), "options": {"size": 256, "epochs": 10}}
request = urllib.request.Request(f"{API}/stylize?timeout=600", json.dumps(body).encode())
with urllib.request.urlopen(request) as answer:  # raises on an error, whose JSON says what is wrong
    painted = json.load(answer)

path = sys.argv[1] if len(sys.argv) > 1 else "painting.png"
with open(path, "wb") as file:
    file.write(base64.b64decode(painted["image"]))
print(f"run {painted['run']['id']} took {painted['run']['seconds']:.1f} s: {path}")

with urllib.request.urlopen(f"{API}/styles") as answer:
    style = json.load(answer)["fast"][0]["name"]
request = urllib.request.Request(f"{API}/stylize/fast", json.dumps({**body, "style": style, "options": {}}).encode())
path = path.removesuffix(".png") + "-fast.png"
with urllib.request.urlopen(request) as answer, open(path, "wb") as file:
    file.write(answer.read())
    print(f"{style} took {answer.headers['NST-Seconds']} s: {path}")
