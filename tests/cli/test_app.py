"""The command line as a user meets it: what it prints, what it writes, and the one sentence when something is wrong."""

import importlib.metadata
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from shutil import copy

import numpy as np
import pytest
import torch
from PIL import Image

from posekit.cli.sources import kind_of
from posekit.data.openpose import write_openpose
from posekit.data.studio import read_rendered_view
from posekit.evaluation.study_answers import StudyAnswer, write_study_answers
from posekit.evaluation.study_page import read_study_page
from posekit.photo.photographed import GROUND
from posekit.studio.folder import render_folder
from posekit.systems import build
from posekit.training.weights import save_weights
from posekit.util.errors import InputError
from tests.synthetic import TINY


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """A folder with ten small people, the last one held out."""

    root = tmp_path_factory.mktemp("cli") / "people"
    render_folder(root, people=[0, 1, 9], views=2, size=128, jobs=1, progress=False)
    return root


def pixels(path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture, float)


def one_sentence(text: str) -> bool:
    return text.count("\n") == 1 and text.endswith(".\n") and "Traceback" not in text


def test_version(run):
    code, out, _ = run("--version")
    assert code == 0
    assert out == "posekit 0.1.0\n"


def test_inspect_says_what_files_are_and_draws_them(run, rendered, tmp_path):
    view, weights = rendered / "people/00000/0.png", tmp_path / "w"
    save_weights(build("coordinate_inpainting", **TINY), weights)
    code, out, err = run("inspect", view, weights, tmp_path / "nothing", "-o", tmp_path / "drawn.png")
    assert code == 1, "One of them could not be read."
    assert f"{view}: rendered view, with exact maps beside it\n" in out
    assert re.search(r"^  system +coordinate_inpainting, preset laptop", out, re.MULTILINE)
    assert one_sentence(err)
    assert pixels(tmp_path / "drawn.png").std() > 10
    assert run("inspect", view)[0] == 0
    code, _, err = run("inspect", weights, "-o", tmp_path / "b.png")
    assert code == 1
    assert "None of these files can be drawn" in err


def test_describe_shows_the_published_parameter_counts(run):
    code, out, _ = run("describe", "coordinate_inpainting", "--preset", "paper")
    assert code == 0
    assert "2,824,866 parameters" in out
    assert "11,332,611 parameters + 50,373 spectral-norm vector entries = 11,382,984" in out
    assert "stage 2: refinement" in out


def test_evaluate_prints_the_protocol_and_compares_under_one_alone(run, rendered, tmp_path):
    words = ("evaluate", "--data", rendered, "--pairs", 2, "--padding", "128x160")
    code, out, _ = run(*words, "-o", tmp_path / "a.json")
    assert code == 0
    assert "128 x 128 RGB in [0, 1], no crop, padded to 128 x 160 with white; SSIM window 11" in " ".join(out.split())
    code, out, _ = run(*words, "--beside", tmp_path / "a.json")
    assert code == 0
    assert "source copied (a.json)" in out
    code, _, err = run(*words[:5], "--crop", "128x88", "--beside", tmp_path / "a.json")
    assert code == 1
    assert "measured differently (crop 128 x 88 and none; padding none and 128 x 160)" in err
    assert one_sentence(err)


def test_compare_shows_every_system_with_what_it_costs(run, rendered, tmp_path):
    words = ("compare", "copy_source", "coordinate_inpainting-laptop", "--data", rendered, "--pairs", 2)
    code, out, _ = run(*words, "--noise", 1, "-o", tmp_path / "new")
    assert code == 0
    assert "copy_source" in out.splitlines()[0]
    assert re.search(r"^given +nothing +maps$", out, re.MULTILINE)
    facts = json.loads((tmp_path / "new/facts.json").read_text())
    assert facts["coordinate_inpainting-laptop"]["pairs_seen"] > 50_000
    stored = json.loads((tmp_path / "new/evaluation.json").read_text())
    assert stored["protocol"]["more"]["noise"].startswith("1; noise of level L")
    code, _, err = run("compare", "copy_source", "--data", "my_module:pairs", "--poses", "unseen")
    assert code == 1
    assert "leave --poses out" in err
    assert one_sentence(err)


def test_score_measures_a_folder_of_results(run, rendered, tmp_path):
    """A person's other view in place of a prediction, under two protocols, as files and beside an earlier run."""
    for folder, view in (("truth", 0), ("made", 1)):
        (tmp_path / folder).mkdir()
        for person in ("00000", "00009"):
            shutil.copy(rendered / "people" / person / f"{view}.png", tmp_path / folder / f"{person}.png")
    words = ("score", tmp_path / "truth", tmp_path / "made", "--protocol", "gfla", "--perceptual-pairs", 1)
    code, out, err = run(*words, "-o", tmp_path / "rows.json", "--html", tmp_path / "page.html")
    assert code == 0, err
    assert out.startswith("2 predictions, called {target}\n")
    for number in ("gfla.ssim ", "gfla.ssim_256", "gfla.psnr", "gfla.mae", "ms_ssim", "sliced_wasserstein"):
        assert re.search(rf"^{number} +[0-9.]+ \[", out, re.MULTILINE)
    assert re.search(r"^fid +missing$", out, re.MULTILINE)
    assert (tmp_path / "page.html").read_text().count("<figure>") == 2
    code, out, _ = run(*words, "--beside", tmp_path / "rows.json", "-o", tmp_path / "rows.csv")
    assert code == 0
    assert "made (rows.json)" in out
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 3
    code, _, err = run(*words[:3], "--protocol", "wang", "--beside", tmp_path / "rows.json")
    assert code == 1
    assert "rows.json was measured under the protocol gfla, not wang" in err  # before the work
    assert one_sentence(err)


def test_study_makes_a_page_and_counts_answers(run, rendered, tmp_path):
    for folder, view in (("real", 0), ("made", 1)):
        (tmp_path / folder).mkdir()
        for person in ("00000", "00009"):
            shutil.copy(rendered / "people" / person / f"{view}.png", tmp_path / folder / f"{person}.png")
    folders = ("--made", tmp_path / "made", "--real", tmp_path / "real")
    page = tmp_path / "study.html"
    code, out, err = run("study", "realism", *folders, "--count", 2, "--warm-up", 1, "--seed", 4, "-o", page)
    assert code == 0, err
    study = read_study_page(page)
    assert f"study {study.id}, 4 screens, 4 pictures; seed 4" in out
    given = [StudyAnswer("a", n, "real", 1.0) for n in range(4)]
    file = write_study_answers(tmp_path / "a.json", study, "a", given)
    code, out, _ = run("study", "--answers", file, "--page", page, "--margin", 5)
    assert code == 0
    assert out.startswith("381 judgements for a 95 % interval of 5 percent")
    assert re.search(r"^realism: generated said to be 'real' 100.0 % \([12] of [12]\) \[", out, re.MULTILINE)
    code, out, _ = run("study")
    assert "80 pairs for each rival, beside truth, 50 people." in out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("compare", "nothing"), "No reference weights nothing-laptop.safetensors"),
        (("compare", "copy_source", "--data", "nowhere"), "posekit render"),
        (("compare", "-o", "/proc/none/e"), "cannot be written"),
        (("describe", "coordinate_inpaint"), "did you mean 'coordinate_inpainting'"),
        (
            ("describe", "coordinate_inpainting", "--preset", "desktop"),
            "known: face, laptop, laptop256, laptop_random, paper, studio256",
        ),
        (("train", "--preset", "desktop"), "known: face, laptop, laptop256, laptop_random, paper, studio256"),
        (("transfer", "nowhere.png", "nowhere.png"), "There is no file nowhere.png"),
        (("transfer", "a.jpg", "b.npy", "c.npy", "d.npy"), "got 4 files"),
        (("evaluate", "--weights", "nowhere.safetensors"), "nowhere.safetensors"),
        (("evaluate", "--crop", "big"), "HEIGHTxWIDTH in pixels, such as 256x176"),
        (("evaluate", "--crop", "256x176"), "The crop of 256 x 176 pixels does not go with photographs of 128 x 128"),
        (("evaluate", "--beside", "nowhere.json"), "nowhere.json is not an evaluation"),
        (("evaluate", "--device", "tpu"), "tpu"),
        (("evaluate", "-o", "."), "is a folder; name a file"),
        (("evaluate", "-o", "/proc/none/e.json"), "cannot be written"),
        (("train", "--data", "nowhere"), "posekit render"),
        (
            ("transfer", "a.jpg", "b.npy", "c.npy", "--weights", "w.safetensors", "--inpaint", "nearest"),
            "--weights are for",
        ),
        (("transfer", "a.png", "b.png", "--atlas", "smpl"), "rendered views have an atlas of their own"),
        (("transfer", "a.png", "b.png", "-o", "new.xyz"), "end it in .png"),
        (("demo", "-o", "demo.xyz"), "end it in .png"),
        (("score", "nowhere", "nowhere"), "nowhere is not a folder"),
        (("study", "beauty", "--made", "nowhere"), "realism, anatomy, pose, closest, try_on, two_questions"),
        (("study", "anatomy"), "needs the folder of the generated pictures (--made)"),
        (("study", "anatomy", "--made", "nowhere", "--real", "nowhere"), "nowhere is not a folder"),
        (("study", "--answers", "nowhere.json"), "nowhere.json could not be read"),
        (("study", "anatomy", "--answers", "nowhere.json"), "do one after the other"),
        (("study", "--margin", "70"), "A margin lies from 0.0001 to 0.5"),
        (("score", "nowhere", "nowhere", "--protocol", "x"), "are plain, wang, patn, gfla, cfld, pws; got 'x'"),
        (("score", "nowhere", "nowhere", "-o", "rows.txt"), "end it in .csv or .json"),
        (("score", "nowhere", "nowhere", "--html", "/proc/none/e.html"), "cannot be written"),
        (("score", "nowhere", "nowhere", "--beside", "nowhere.json"), "nowhere.json is not an evaluation"),
        (("augment", "nowhere"), "have no pose; give the csv"),
        (("augment", "nowhere", "--maps", "nowhere"), "cannot be read as a folder"),
    ],
)
def test_a_users_mistake_is_one_sentence_and_exit_code_1(run, words, expected):
    code, _, err = run(*words)
    assert code == 1
    assert expected in err
    assert one_sentence(err)


def test_render_writes_a_folder_and_goes_on_where_it_stopped(run, tmp_path):
    words = ("render", "--people", 2, "--views", 2, "--size", 32, "--jobs", 1, "-o", tmp_path / "people")
    assert run(*words)[0] == 0
    picture = tmp_path / "people" / "people" / "00001" / "1.png"
    assert pixels(picture).shape == (32, 32, 3)
    before = {p: p.stat().st_mtime_ns for p in picture.parent.iterdir()}
    shutil.rmtree(tmp_path / "people" / "people" / "00000")
    assert run(*words)[0] == 0
    assert (tmp_path / "people" / "people" / "00000" / "1.png").exists()
    assert {p: p.stat().st_mtime_ns for p in picture.parent.iterdir()} == before, "the finished person was made again"


def test_a_complete_folder_is_used_without_writing_into_it(run, rendered, monkeypatch):
    from posekit.studio import folder

    monkeypatch.setattr(folder, "only_one", lambda root: pytest.fail("a complete folder was locked"))
    assert folder.render_folder(rendered, [0, 1, 9], 2, 128, jobs=1, progress=False) == [0, 1, 9]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--device", "tpu"), "auto, cpu, cuda"),
        (("--precision", "16-true"), "32-true or bf16-mixed"),
        (("--nodes", "2", "--batch-size", "2"), "is started by torchrun on each of them"),
    ],
)
def test_training_says_what_it_cannot_run_on(run, rendered, tmp_path, words, expected):
    code, _, err = run("train", "--data", rendered, "-o", tmp_path / "run", *words)
    assert code == 1
    assert expected in err
    assert one_sentence(err.splitlines()[-1] + "\n")
    assert not (tmp_path / "run").exists()


def test_running_out_of_memory_is_one_sentence(run, monkeypatch):
    from posekit.systems import base

    def describe(_):
        raise torch.cuda.OutOfMemoryError("Tried to allocate 2 TiB")

    monkeypatch.setattr(base, "describe", describe)
    code, _, err = run("describe", "coordinate_inpainting")
    assert code == 1
    assert one_sentence(err)
    assert "--batch-size" in err


def test_render_refuses_a_folder_of_other_people(run, rendered):
    code, _, err = run("render", "--people", 2, "--views", 2, "--size", 64, "--jobs", 1, "-o", rendered)
    assert code == 1
    assert one_sentence(err)
    assert "rendered with" in err


@pytest.mark.parametrize("inpaint", ["nearest", "mirror"])
def test_transfer_between_rendered_views(run, rendered, tmp_path, inpaint):
    views = rendered / "people" / "00009"
    code, out, _ = run(
        "transfer", views / "0.png", views / "1.png", "-o", tmp_path / "new.png",
        "--inpaint", inpaint, "--panel", tmp_path / "panel.png",
    )  # fmt: skip
    assert code == 0
    new, truth, source = pixels(tmp_path / "new.png"), pixels(views / "1.png"), pixels(views / "0.png")
    assert np.abs(new - truth).mean() < np.abs(source - truth).mean(), (
        "the pose of the target is nearer than the source"
    )
    assert pixels(tmp_path / "panel.png").shape[1] > 600


def test_transfer_with_its_defaults_takes_what_fits(run, rendered, tmp_path, caplog):
    """Two rendered views: the network; a photograph with maps of another atlas: copied texels, and it says so."""
    views = rendered / "people" / "00009"
    code, out, _ = run("transfer", views / "0.png", views / "1.png", "-o", tmp_path / "a.png")
    said, written = out.splitlines()
    assert (code, written) == (0, f"{tmp_path / 'a.png'}")
    assert said == f"{views / '0.png'}: a rendered view; pose of {views / '1.png'}: a rendered view"
    assert not caplog.text
    u, v = np.meshgrid(np.linspace(-0.5, 0.5, 64), np.linspace(-0.5, 0.5, 64))
    np.save(tmp_path / "map.npy", np.stack([u, v], -1).astype(np.float32))
    Image.fromarray(np.full((64, 64, 3), 200, np.uint8)).save(tmp_path / "photo.png")
    files = (tmp_path / "photo.png", tmp_path / "map.npy", tmp_path / "map.npy")
    code, out, _ = run("transfer", *files, "-o", tmp_path / "b.png")
    said, written = out.splitlines()
    assert (code, written) == (0, f"{tmp_path / 'b.png'}")
    assert said == f"{files[0]}: a photograph; its map: {files[1]}; map of the pose: {files[2]}"
    assert "copied from the nearest seen ones" in caplog.text  # a warning, which the terminal shows
    assert pixels(tmp_path / "b.png").shape == (64, 64, 3)


def test_views_of_256_pixels_stay_as_large(run, tmp_path):
    """By their maps, the room stays; by joints alone, the person stands on the plain ground that the weights know."""
    render_folder(tmp_path / "people", people=[9], views=2, size=256, jobs=1, progress=False)
    views = tmp_path / "people" / "people" / "00009"
    for name, more in (("a.png", ()), ("b.png", ("--joints",))):
        code, _, err = run("transfer", views / "0.png", views / "1.png", "-o", tmp_path / name, *more)
        assert (code, err) == (0, "")
    room, ground = pixels(tmp_path / "a.png"), pixels(tmp_path / "b.png")
    assert room.shape == ground.shape == (256, 256, 3)
    truth = pixels(views / "1.png")
    assert np.abs(room - truth).mean() < np.abs(ground - truth).mean()
    assert np.abs(ground[:8] - 255 * GROUND).mean() < 12, "nothing but ground above the head"


def test_transfer_into_a_pose_given_by_its_joints(run, rendered, tmp_path):
    """The joints of a view, or the same joints in a file: one picture; the view's map is not looked at."""
    torch.manual_seed(0)
    system = build("coordinate_inpainting", variant="keypoints", **{**TINY, "image_size": 128})
    weights = save_weights(system, tmp_path / "w.safetensors")
    views = rendered / "people" / "00009"
    target = read_rendered_view(views / "1.png")
    write_openpose(tmp_path / "pose.json", target.keypoints, target.visibility, target.size)
    for pose, name in ((views / "1.png", "a.png"), (tmp_path / "pose.json", "b.png")):
        more = ["--joints"] if pose.suffix == ".png" else []
        code, _, err = run("transfer", views / "0.png", pose, "-o", tmp_path / name, "--weights", weights, *more)
        assert (code, err) == (0, "")
    assert np.abs(pixels(tmp_path / "a.png") - pixels(tmp_path / "b.png")).max() <= 1, "joints are written to 0.001 px"
    code, _, err = run("transfer", tmp_path / "pose.json", views / "0.png")
    assert (code, "holds joints, no photograph" in err) == (1, True)
    code, _, err = run("transfer", views / "0.png", tmp_path / "pose.json", "--inpaint", "nearest")
    assert code == 1
    assert "Joints are read by a trained network" in err
    code, _, err = run("transfer", views / "0.png", "a.npy", "b.npy", "--joints")
    assert code == 1
    assert "--joints, --face and --background are for photographs and views" in err


def test_dress(run, rendered, tmp_path):
    """Without learning and with weights; what cannot be done is said in a sentence."""
    torch.manual_seed(0)
    system = build("coordinate_inpainting", variant="garments", **{**TINY, "image_size": 128})
    weights = save_weights(system, tmp_path / "w.safetensors")
    person, clothes = (rendered / "people" / number / "0.png" for number in ("00009", "00001"))
    code, out, err = run("dress", person, clothes, "-o", tmp_path / "a.png", "--paste", "--panel", tmp_path / "p.png")
    assert (code, out, err) == (0, f"{tmp_path / 'a.png'}\n", "")
    assert pixels(tmp_path / "p.png").shape[1] > 600
    view = read_rendered_view(person)
    head = view.head[0].numpy() > 0
    assert np.abs(pixels(tmp_path / "a.png")[head] - 255 * view.image.permute(1, 2, 0).numpy()[head]).max() <= 1
    code, _, err = run("dress", person, clothes, "-o", tmp_path / "b.png", "--weights", weights)
    assert (code, err) == (0, "")
    assert pixels(tmp_path / "b.png").shape == (128, 128, 3)
    full = save_weights(build("coordinate_inpainting", **{**TINY, "image_size": 128}), tmp_path / "f.safetensors")
    code, _, err = run("dress", person, clothes, "--weights", full)
    assert code == 1
    assert "dress needs weights of garment transfer" in err
    code, _, err = run("transfer", person, clothes, "--weights", weights)
    assert code == 1
    assert "use posekit dress" in err
    code, _, err = run("transfer", person, clothes, "--weights", full, "--joints")
    assert code == 1
    assert "needs a map of the pose, not joints alone" in err
    code, _, err = run("dress", "me.jpg", clothes)
    assert code == 1
    assert "me.jpg is not a view of a rendered folder" in err
    code, _, err = run("dress", person, clothes, "--weights", weights, "--paste")
    assert code == 1
    assert "--paste learns nothing" in err


def test_a_view_is_a_view_however_it_is_named(rendered, monkeypatch, tmp_path):
    monkeypatch.chdir(rendered / "people" / "00009")
    assert kind_of("0.png") == "a rendered view"
    assert torch.equal(read_rendered_view("1.png").uv, read_rendered_view(rendered / "people" / "00009" / "1.png").uv)
    with pytest.raises(InputError, match="is a surface map; with maps give three files"):
        kind_of(copy(rendered / "people" / "00009" / "0.png", tmp_path / "map_IUV.png"))


def test_a_full_disk_is_one_sentence_and_leaves_nothing(run, rendered, tmp_path, monkeypatch):
    def full(self, *_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    views = rendered / "people" / "00009"
    code, _, err = run("transfer", views / "0.png", views / "1.png", "-o", tmp_path / "new.png", "--inpaint", "nearest")
    assert code == 1
    assert one_sentence(err)
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_says_the_plan_and_writes_nothing(run, rendered, tmp_path):
    words = ("--batch-size", "1", "--steps", "500", "--device", "cpu", "--ema", "0.99", "--channels-last")
    code, out, _ = run("train", "--data", rendered, "-o", tmp_path / "run", "--dry-run", *words)
    assert code == 0
    assert "inpainting: 500 steps of 1 pairs, trains f;" in out
    assert "refinement: 500 steps of 1 pairs, trains g;" in out
    assert "in all" in out
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--devices", "7", "--batch-size", "4"), "cannot be shared by 7 devices"),
        (("--device", "cuda"), "Training cannot start on 1 x 'cuda'"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_people_are_rendered(run, tmp_path, monkeypatch, words, said):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("posekit.data.studio.StudioPeople", None)  # a call would be a TypeError
    for more in ((), ("--dry-run",)):
        code, _, err = run("train", "-o", tmp_path / "run", *words, *more)
        assert code == 1
        assert one_sentence(err)
        assert said in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("words", "wanted"), [((), None), (("--device-data",), True), (("--no-device-data",), False)])
def test_people_are_read_ahead_for_a_gpu_alone_unless_asked(run, rendered, tmp_path, monkeypatch, words, wanted):
    """On a processor they are read as they are needed, by the workers that were asked for."""
    seen = []
    monkeypatch.setattr("posekit.training.fit.fit", lambda *given: seen.append(given[3]) or [])
    code, _, err = run("train", "--data", rendered, "-o", tmp_path / "run", "--device", "cpu", "--workers", "2", *words)
    assert code == 0, err
    assert (seen[0].device_data, seen[0].workers) == (wanted, 2)


def test_training_interrupted_and_resumed_gives_the_same_weights(rendered, tmp_path):
    """The whole way, by Ctrl-C in a process of its own: 6 steps a stage, stopped in the middle, run again."""
    from posekit.training.weights import load_weights

    def command(out):
        return [
            sys.executable, "-m", "posekit", "train", "--preset", "laptop", "--steps", "6", "--batch-size", "1",
            "--data", str(rendered), "-o", str(out), "--device", "cpu",
        ]  # fmt: skip

    done = subprocess.run(command(tmp_path / "whole"), check=True, capture_output=True, text=True, timeout=300)
    assert re.search(r"^Waited for data: \d+\.\d% of the time", done.stdout, re.MULTILINE)

    process = subprocess.Popen(command(tmp_path / "cut"), stderr=subprocess.PIPE, text=True)
    log = tmp_path / "cut" / "log.jsonl"
    for _ in range(1200):  # until the first stage has been logged: then the second one runs
        if log.exists() and '"stage": "inpainting"' in log.read_text():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "run the same command again to go on" in err
    assert not (tmp_path / "cut" / "weights.safetensors").exists()

    subprocess.run(command(tmp_path / "cut"), check=True, capture_output=True, timeout=300)
    whole, cut = (load_weights(tmp_path / name / "weights.safetensors").state_dict() for name in ("whole", "cut"))
    trained = [key for key in whole if key.startswith(("f.", "g."))]  # weight files leave the discriminator out
    assert len(trained) > 100
    different = [key for key in trained if not torch.equal(whole[key], cut[key])]
    assert not different, "resumed weights differ from uninterrupted ones"
    records = [json.loads(line) for line in log.read_text().splitlines()[1:]]
    assert [r["total_step"] for r in records] == sorted({r["total_step"] for r in records}), "a step was logged twice"


def test_of_two_processes_one_speaks(rendered, tmp_path):
    words = ["train", "--steps", "1", "--batch-size", "2", "--data", rendered, "-o", tmp_path / "run"]
    command = [sys.executable, "-m", "posekit", *map(str, words), "--device", "cpu", "--devices", "2"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    assert done.stdout.count("Weights:") == 1


def test_check_prints_a_line_each_and_what_to_do(run):
    code, out, _ = run("check")
    assert code == 0
    lines = out.splitlines()
    assert all(line[:4].strip() in ("OK", "WARN") for line in lines)
    assert any("Python" in line for line in lines)
    assert any("cache folder" in line for line in lines)
    assert all("->" in line for line in lines if line.startswith("WARN"))


def test_check_says_whether_photographs_can_be_read(monkeypatch):
    from posekit.cli import check

    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(check.importlib.metadata, "version", lambda name: "2.3.0")
    assert str(check.check_photos()) == "OK    photographs            ai-edge-litert 2.3.0"
    monkeypatch.setattr(check.importlib.metadata, "version", missing)
    line = check.check_photos()
    assert (line.status, line.advice) == ("WARN", "pip install 'posekit[photo]'")


def test_check_names_a_missing_package(monkeypatch):
    from posekit.cli import check

    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(check.importlib.metadata, "version", missing)
    lines = check.check_packages()
    assert {line.status for line in lines} == {check.FAIL}
    assert any("pip install 'torch>=2.11'" in line.advice for line in lines)


def test_augment_writes_a_manifest_and_goes_on(run, rendered, tmp_path):
    words = ("augment", rendered, "--weights", "texel_fill-mirror", "--poses", 2, "-o", tmp_path)
    code, out, _ = run(*words)
    assert code == 0
    assert out.startswith("4 photographs, 8 generated: ")  # two people of the training split, two views each
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("*.png")}
    assert sorted(before)[0] == "0001_c1s1_000000_00.g00.png"
    assert len(before) == 8
    run(*words)
    assert {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("*.png")} == before
    code, _, err = run(*words, "--seed", 1)
    assert code == 1
    assert one_sentence(err)
    assert "seed 0 (now 1)" in err


def test_augment_with_the_shipped_networks_or_unknown_ones(run, rendered, tmp_path):
    code, _, _ = run("augment", rendered, "--poses", 1, "-o", tmp_path / "maps")
    assert code == 0
    assert len(list((tmp_path / "maps").glob("*.png"))) == 4
    code, _, err = run("augment", rendered, "--weights", "texel_fill-both", "-o", tmp_path / "none")
    assert code == 1
    assert "known: copy_source, mirror, nearest" in err
