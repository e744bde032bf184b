"""Make a trained style file the one that comes with the program: add titles, sources and pictures.

Train with `python -m tools.train_fast_styles`, synthesize with `python -m tools.style_textures`, then run
`python -m tools.ship trained.style --textures FOLDER`; nst/builtin receives fast.style, beside it fast.json with its
provenance, and the predictor of style vectors. The picture of a style that was learned from a sample is that sample,
reduced; that of another is its texture.
"""

import argparse
import hashlib
import json
from dataclasses import replace
from pathlib import Path

from nst.engine.feed_forward.style_predictor import PREDICTOR_FILE as PREDICTOR
from nst.pictures.images import encode_jpeg, fit, read_file, resize
from nst.pictures.samples import find
from nst.styles.style_file import PICTURE_KIND, StyleFile
from nst.styles.style_library import SHIPPED

PUBLIC_DOMAIN, OURS = "in the public domain", "drawn by this program"
SOURCES = {  # name -> (title, the picture learned from, its rights)
    "great-wave": ("The Great Wave", "Katsushika Hokusai, The Great Wave off Kanagawa, about 1831", PUBLIC_DOMAIN),
    "starry-night": ("The Starry Night", "Vincent van Gogh, The Starry Night, 1889", PUBLIC_DOMAIN),
    "the-scream": ("The Scream", "Edvard Munch, The Scream, 1893", PUBLIC_DOMAIN),
    "olive-trees": ("Olive trees", "Vincent van Gogh, Olive Trees, 1889", PUBLIC_DOMAIN),
    "wheat-field": ("Wheat field", "Vincent van Gogh, Wheat Field with Cypresses, 1889", PUBLIC_DOMAIN),
    "tahiti": ("Tahiti", "Paul Gauguin, a painting of Tahiti", PUBLIC_DOMAIN),
    "the-kiss": ("The Kiss", "Gustav Klimt, The Kiss, 1907-1908", PUBLIC_DOMAIN),
    "composition-viii": ("Composition VIII", "Wassily Kandinsky, Composition VIII, 1923", PUBLIC_DOMAIN),
    "japanese-footbridge": ("Japanese footbridge", "Claude Monet, The Japanese Footbridge", PUBLIC_DOMAIN),
    "grande-jatte": ("La Grande Jatte", "Georges Seurat, A Sunday on La Grande Jatte, 1884-1886", PUBLIC_DOMAIN),
    "rain-steam-speed": ("Rain, Steam and Speed", "J. M. W. Turner, Rain, Steam and Speed, 1844", PUBLIC_DOMAIN),
    "blue-horses": ("Large blue horses", "Franz Marc, The Large Blue Horses, 1911", PUBLIC_DOMAIN),
    "sudden-shower": (
        "Sudden shower",
        "Utagawa Hiroshige, Sudden Shower over Shin-Ohashi Bridge, 1857",
        PUBLIC_DOMAIN,
    ),
    "cafe-terrace": ("Café terrace", "Vincent van Gogh, Café Terrace at Night, 1888", PUBLIC_DOMAIN),
    "senecio": ("Senecio", "Paul Klee, Senecio, 1922", PUBLIC_DOMAIN),
    "rose-window": ("Rose window", "the sample of that name, stained glass", OURS),
    "river-points": ("River in points", "the sample of that name, points of color", OURS),
}
SIDE = 384  # px, long side of a sample
QUALITY = 85


def main() -> None:
    """Write the style file and its provenance to nst/builtin."""
    parser = argparse.ArgumentParser(prog="python -m tools.ship", description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="what `tools.train_fast_styles` wrote")
    parser.add_argument("--textures", type=Path, required=True, help="the folder of `tools.style_textures`")
    given = parser.parse_args()
    path = given.file
    file = StyleFile.from_bytes(path.read_bytes(), path.name)
    others = [name for name in file.styles if name not in SOURCES]
    if others:
        raise SystemExit(f"{path.name!r} has styles without an entry in SOURCES: {', '.join(others)}")
    training: dict[str, object] = {}
    styles = {}
    for name in (each for each in SOURCES if each in file.styles):  # the order in which the page shows them
        style, (title, source, rights) = file.styles[name], SOURCES[name]
        training = {key: value for key, value in style.provenance.items() if key not in ("picture", PICTURE_KIND)}
        if rights == OURS:
            picture, of_picture = _sample(name), {"picture": hashlib.sha256(find(name).path.read_bytes()).hexdigest()}
        else:
            picture, of_picture = (given.textures / f"{name}.jpg").read_bytes(), {PICTURE_KIND: "texture"}
        provenance = {"learned_from": source, "rights": rights, **of_picture, **training}
        styles[name] = replace(style, title=title, provenance=provenance, picture=picture)
    SHIPPED.write_bytes(replace(file, styles=styles).to_bytes())
    PREDICTOR.write_bytes(path.with_suffix(".predictor.npz").read_bytes())
    shipped = {
        "what": "image transformation network with conditional instance normalization, kernels float16",
        "script": "python -m tools.train_fast_styles, python -m tools.style_textures, then python -m tools.ship",
        "predictor": "style_predictor.npz: vectors for other paintings, trained together with the network",
        "license": "MIT",
        **training,
        "styles": {name: ", ".join(SOURCES[name][1:]) for name in styles},
    }
    SHIPPED.with_suffix(".json").write_text(json.dumps(shipped, indent=2) + "\n", encoding="utf-8")
    print(f"{SHIPPED.name}: {len(styles)} styles, {SHIPPED.stat().st_size / 1e6:.1f} MB, network {file.network}")


def _sample(name: str) -> bytes:
    """A sample, reduced, as JPEG."""
    picture = read_file(find(name).path).rgb
    return encode_jpeg(resize(picture, *fit(*picture.shape[:2], SIDE)), QUALITY)


if __name__ == "__main__":
    main()
