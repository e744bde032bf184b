import itertools
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from nst.engine.networks.extractors import ARCHITECTURES, Architecture, Extractor, he_normal
from nst.engine.optimization import losses
from nst.engine.training import distill
from nst.engine.training.distill_data import BATCH, CROP, Crops, Pool, channel_statistics, read_pictures
from nst.engine.training.distillation import Distillation, scales_of

# A student of a network as thin: one head a block, each with the name of the layer that it predicts.
TEACHER = Architecture("thin", (6, 8, 8, 8, 8), (1, 1, 1, 1, 1), "max", "reflect", {}, unit=58.0)
STUDENT = Architecture(
    "compact",
    (5, 6, 6, 6, 6),
    (1, 1, 1, 1, 1),
    "average",
    "reflect",
    {f"block{n}_conv1": (f"stage{n}_conv1", 6 if n == 1 else 8) for n in range(1, 6)}
    | {"block4_conv2": ("stage4_conv1", 8)},
    unit=58.0,
    block="stage",
)


SHORT_PAINTING = {"PAINTINGS": 1, "FRAMES_KEPT": 2, "SIZES": (64, 65)}


def teacher(pictures: tf.Tensor) -> dict[str, tf.Tensor]:
    network = Extractor(TEACHER, he_normal(TEACHER, seed=7))
    found = network(tf.convert_to_tensor(pictures), TEACHER.convolutions)
    return found | {"block4_conv2": found["block4_conv1"]}


def picture(seed: int, height: int = 110, width: int = 150) -> Image.Image:
    small = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def crops() -> Crops:
    return Crops({"photos": [picture(1), picture(2)], "paintings": [picture(3)], "frames": []}, seed=5)


@pytest.fixture
def pool(crops) -> Pool:
    return Pool(teacher, crops, size=BATCH)


@pytest.fixture
def distillation(crops) -> Distillation:
    return Distillation(STUDENT, channel_statistics(teacher, crops, 2), seed=0)


def test_the_built_in_network_predicts_layers_of_vgg19_at_their_places():
    vgg, student = ARCHITECTURES["vgg19"], ARCHITECTURES["compact"]
    for layer, (_, channels) in student.heads.items():
        assert (vgg.stride(layer), vgg.shapes()[layer][3]) == (student.stride(layer), channels)


def test_crops_are_pictures_and_the_seed_decides_them(crops):
    batch = crops.batch(6)
    assert batch.shape == (6, CROP, CROP, 3)
    assert batch.dtype == np.float32
    assert 0 <= batch.min() < batch.max() <= 1
    np.testing.assert_array_equal(batch, Crops(crops.groups, seed=5).batch(6))


def test_frames_are_cropped_without_resizing(crops):
    """Resizing would hide the grain that is to be corrected: each row of a crop is part of a row of the frame."""
    frame = np.random.default_rng(4).integers(0, 255, (CROP + 9, CROP + 5, 3), np.uint8)
    crops.groups = {"photos": [], "paintings": [], "frames": [Image.fromarray(frame)]}
    rows = {row.tobytes() for x in (frame, frame[:, ::-1]) for left in range(6) for row in x[:, left : left + CROP]}
    for crop in crops.batch(3):
        assert {row.tobytes() for row in np.uint8(np.round(crop * 255))} <= rows


def test_a_frame_smaller_than_a_crop_is_mirrored(crops):
    frame = np.random.default_rng(4).integers(0, 255, (70, 100, 3), np.uint8)
    crops.groups = {"photos": [], "paintings": [], "frames": [Image.fromarray(frame)]}
    crop = np.uint8(np.round(crops.batch(1)[0] * 255))
    np.testing.assert_array_equal(crop[70:128], crop[12:70][::-1])


def test_the_pool_has_the_teachers_activations_and_replaces_the_oldest_crops(pool):
    before = pool.batch()[0]
    assert len(np.unique(before, axis=0)) == BATCH
    pool.renew(2)
    after = pool.batch()[0]
    kept = {x.tobytes() for x in before} & {x.tobytes() for x in after}
    assert len(kept) == BATCH - 2
    pictures, truth = pool.batch()
    for layer, activation in teacher(pictures).items():
        np.testing.assert_allclose(truth[layer], activation, rtol=2e-3, atol=2e-3)


def test_both_errors_agree_with_their_twins(distillation, pool):
    pictures, truth = pool.batch()
    activations, matrices = distillation.errors(pictures, truth)
    guess = Extractor(STUDENT, distillation.folded())(
        pictures, STUDENT.heads
    )  # untrained, so the average is the student itself
    for n, layer in enumerate(STUDENT.heads):
        _, deviation = distillation.scales[layer]
        importance = 0.5 * deviation**2 / np.mean(deviation**2) + 0.5
        difference = (guess[layer].numpy() - np.float32(truth[layer])) / deviation
        assert float(activations[n]) == pytest.approx(np.mean(importance * difference**2), rel=1e-3)
        pairs = [
            [losses.gram(x[i : i + 1]).numpy() for i in range(len(pictures))]
            for x in (guess[layer], np.float32(truth[layer]))
        ]
        relative = [np.sum((a - b) ** 2) / np.sum(b**2) for a, b in zip(*pairs, strict=True)]
        assert float(matrices[n]) == pytest.approx(np.mean(relative), rel=1e-3)


def test_training_lowers_the_errors_resumes_and_exports(distillation, pool, tmp_path):
    pictures, truth = pool.batch()
    first = distillation.evaluate([(pictures, truth)])
    weights = tf.constant(0.1), tf.constant(0.5)
    for _ in range(15):
        distillation.step(pictures, truth, *weights)
    last = distillation.evaluate([(pictures, truth)])
    assert sum(a for a, _ in last.values()) < 0.9 * sum(a for a, _ in first.values())

    distillation.steps, distillation.seconds = 15, 3.0
    distillation.save(tmp_path / "state.npz")
    resumed = Distillation(STUDENT, scales_of(tmp_path / "state.npz", tuple(STUDENT.heads)), seed=1)
    resumed.load(tmp_path / "state.npz")
    assert (resumed.steps, resumed.seconds) == (15, 3.0)
    np.testing.assert_allclose(
        resumed.step(pictures, truth, *weights), distillation.step(pictures, truth, *weights), rtol=1e-4
    )

    distillation.export(tmp_path / "compact.npz", {"licence": "MIT"})
    with np.load(tmp_path / "compact.npz", allow_pickle=False) as file:
        stored = {name.removesuffix("/kernel"): file[name] for name in file if name.endswith("/kernel")}
        assert {file[name].dtype for name in file} == {np.dtype(np.float16)}
    assert {layer: kernel.shape for layer, kernel in stored.items()} == STUDENT.shapes()
    np.testing.assert_allclose(stored["block2_conv1"], distillation.folded()["block2_conv1"][0], rtol=2e-3, atol=1e-4)
    assert json.loads((tmp_path / "compact.json").read_text()) == {"licence": "MIT"}


def test_the_student_paints_with_its_averaged_weights_and_its_frames_become_crops(
    distillation, crops, tmp_path, monkeypatch
):
    for name, value in SHORT_PAINTING.items():
        monkeypatch.setattr(f"nst.engine.training.distillation.{name}", value)
    distillation.average[0].assign_add(tf.ones_like(distillation.average[0]))
    distillation.paint(crops, tmp_path / "frames")
    frames = crops.groups["frames"]
    assert len(frames) == len(list((tmp_path / "frames").glob("*.png"))) == 2
    assert max(frames[0].size) <= max(frames[1].size) == 64
    painter = distillation.painter(np.full((1, 16, 16, 3), 0.3, np.float32), ["block1_conv1"])["block1_conv1"]
    folded = Extractor(STUDENT, distillation.folded())(np.full((1, 16, 16, 3), 0.3, np.float32), ["block1_conv1"])
    np.testing.assert_allclose(painter, folded["block1_conv1"], rtol=1e-5)


def test_pictures_that_are_too_small_are_left_out(tmp_path: Path):
    picture(1, 80, 200).save(tmp_path / "low.png")
    (tmp_path / "within").mkdir()
    picture(2).save(tmp_path / "within" / "fit.jpg")
    (tmp_path / "notes.txt").write_text("no picture")
    assert [found.size for found in read_pictures([tmp_path])] == [(150, 110)]


def run_command(monkeypatch: pytest.MonkeyPatch, folder: Path, minutes: float) -> dict:
    """Train with a clock that advances by a second with each step; returns the provenance that was written."""
    seconds = itertools.count()
    for name, value in SHORT_PAINTING.items():
        monkeypatch.setattr(f"nst.engine.training.distillation.{name}", value)
    monkeypatch.setattr("nst.engine.training.distillation.time", SimpleNamespace(monotonic=lambda: next(seconds)))
    for name, value in {
        "ARCHITECTURE": STUDENT,
        "LAYERS": tuple(STUDENT.heads),
        "load_teacher": lambda layers, dtype: teacher,
        "choose_precision": lambda asked: "float32",
        "STATISTICS_BATCHES": 2,
        "HELD_OUT_BATCHES": 2,
        "PAINTING_TIMES": (0.5,),
        "LOG_STEPS": 3,
    }.items():
        monkeypatch.setattr(distill, name, value)
    arguments = ["--photos", folder / "photos", "--paintings", folder / "paintings", "--held-out", folder / "held-out"]
    arguments += ["--minutes", minutes, "-o", folder / "thin.npz"]
    monkeypatch.setattr("sys.argv", ["distill", *map(str, arguments)])
    distill.main()
    return json.loads((folder / "thin.json").read_text())


def test_the_command_trains_paints_saves_and_continues(tmp_path, monkeypatch, capsys):
    for seed, name in enumerate(("photos", "paintings", "held-out")):
        (tmp_path / name).mkdir()
        picture(seed).save(tmp_path / name / "picture.png")
    first = run_command(monkeypatch, tmp_path, minutes=0.1)
    assert (first["steps"], first["data"]) == (
        6,
        "1 photographs, 1 paintings, 2 frames that the student painted while it learned",
    )
    assert first["held_out_errors"].keys() == {"columns", *STUDENT.heads}
    assert len(list((tmp_path / "thin.frames").glob("*.png"))) == 2
    with np.load(tmp_path / "thin.npz") as file:
        assert {f"{layer}/kernel" for layer in STUDENT.shapes()} < set(file.files)
    printed = capsys.readouterr().out
    assert re.findall(r"step \d+|painted; 2 frames|held out", printed) == [
        "step 3",
        "painted; 2 frames",
        "step 6",
        "held out",
    ]

    again = run_command(monkeypatch, tmp_path, minutes=0.15)
    assert (again["steps"], again["minutes"]) == (9, 0.1)  # 9 s, rounded
    assert "2 frames" in again["data"]
    with np.load(tmp_path / "thin.checkpoint.npz") as file:
        assert int(file["steps"]) == 9
        assert {"seconds", "steps", "variable_0", "scale_block1_conv1"} < set(file.files)
