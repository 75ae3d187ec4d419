"""Photographs: every kind of file that users have, and every way a file can be broken."""

import errno
import io
import logging
import os

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from posekit.data.photo import PICTURES, exif_of, open_picture, read_photo, write_photo
from posekit.util.errors import InputError


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def expected(pixels):
    return torch.from_numpy(pixels).permute(2, 0, 1) / 255


def test_values_order_and_range(tmp_path, pixels):
    Image.fromarray(pixels).save(tmp_path / "a.png")
    image = read_photo(tmp_path / "a.png")
    assert image.shape == (3, 5, 7)
    assert image.dtype == torch.float32
    assert torch.equal(image, expected(pixels))


def test_writing_and_reading_is_exact(tmp_path, pixels):
    write_photo(tmp_path / "a.png", expected(pixels))
    assert torch.equal(read_photo(tmp_path / "a.png"), expected(pixels))
    write_photo(tmp_path / "a.png", expected(pixels) * 3 - 1)  # values outside [0, 1] are clipped
    assert torch.allclose(read_photo(tmp_path / "a.png"), (expected(pixels) * 3 - 1).clamp(0, 1), atol=0.5 / 255)


@pytest.mark.parametrize("suffix", PICTURES)
def test_a_note_stays_with_the_file(tmp_path, pixels, suffix):
    image = expected(pixels)
    write_photo(tmp_path / f"plain{suffix}", image)
    write_photo(tmp_path / f"noted{suffix}", image, note="Made, not photographed.")
    plain, noted = (open_picture(tmp_path / f"{name}{suffix}") for name in ("plain", "noted"))
    assert exif_of(plain, ExifTags.Base.ImageDescription) is None
    assert exif_of(noted, ExifTags.Base.ImageDescription) == "Made, not photographed."
    assert torch.equal(read_photo(tmp_path / f"noted{suffix}"), read_photo(tmp_path / f"plain{suffix}"))


def test_a_jpg_name_may_hold_a_png(tmp_path, pixels):
    Image.fromarray(pixels).save(tmp_path / "a.jpg", format="PNG")
    assert torch.equal(read_photo(tmp_path / "a.jpg"), expected(pixels))


def test_exif_orientation_is_respected(tmp_path, pixels):
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate by 90 degrees to see it upright"
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    assert torch.equal(read_photo(tmp_path / "a.png"), expected(pixels).rot90(-1, (1, 2)))


def test_transparency_is_laid_over_white(tmp_path, pixels):
    alpha = np.zeros((5, 7, 1), np.uint8)
    alpha[:, :3] = 255
    Image.fromarray(np.concatenate([pixels, alpha], 2)).save(tmp_path / "a.png")
    image = read_photo(tmp_path / "a.png")
    assert torch.equal(image[..., :3], expected(pixels)[..., :3])
    assert (image[..., 3:] == 1).all()


def test_grey_and_palette_pictures_become_rgb(tmp_path, pixels):
    grey = Image.fromarray(pixels[..., 0])
    grey.save(tmp_path / "grey.png")
    image = read_photo(tmp_path / "grey.png")
    assert torch.equal(image, expected(pixels[..., :1].repeat(3, 2)))
    grey.convert("P").save(tmp_path / "palette.png")
    assert torch.equal(read_photo(tmp_path / "palette.png"), image)


def test_sixteen_bits_are_refused_not_clipped(tmp_path):
    Image.fromarray(np.full((4, 4), 40000, np.uint16)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="more than 8 bits a channel"):
        read_photo(tmp_path / "a.png")


def test_missing_folder_and_foreign_files(tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        open_picture(tmp_path / "nothing.png")
    with pytest.raises(InputError, match="is a folder"):
        open_picture(tmp_path)
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(InputError, match="could not be read as a picture") as refused:
        open_picture(tmp_path / "text.png")
    assert "_io." not in str(refused.value)
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(InputError, match="could not be read as a picture"):
        open_picture(tmp_path / "empty.jpg")


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_every_truncation_is_one_sentence(tmp_path, kind):
    whole = tmp_path / f"whole.{kind}"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(whole)
    content = whole.read_bytes()
    cut = tmp_path / f"cut.{kind}"
    for share in (0.05, 0.2, 0.5, 0.8):
        cut.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(InputError) as error:
            open_picture(cut)
        assert "\n" not in str(error.value)


def test_a_corrupt_png(tmp_path):
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    content = bytearray((tmp_path / "a.png").read_bytes())
    content[60:80] = bytes(20)
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match="could not be read as a picture"):
        open_picture(tmp_path / "a.png")


def test_a_picture_too_large_to_be_a_photograph(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    Image.new("RGB", (5, 5)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="too large"):
        read_photo(tmp_path / "a.png")
    Image.new("RGB", (9, 9)).save(tmp_path / "b.png")
    with pytest.raises(InputError, match="too large"):
        read_photo(tmp_path / "b.png")


def test_writing_where_it_cannot_be(tmp_path):
    image = torch.zeros(3, 2, 2)
    with pytest.raises(InputError, match="end it in .png"):
        write_photo(tmp_path / "a.xyz", image)
    with pytest.raises(InputError, match="could not be written"):
        write_photo(tmp_path / "missing" / "a.png", image)
    with pytest.raises(InputError, match="NaN or infinite"):
        write_photo(tmp_path / "a.png", image / 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt" or getattr(os, "geteuid", int)() == 0, reason="root may write into every folder")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="could not be written"):
            write_photo(tmp_path / "a.png", torch.zeros(3, 2, 2))
    finally:
        tmp_path.chmod(0o700)


def test_a_full_disk_leaves_the_old_picture(tmp_path, monkeypatch, pixels):
    out = tmp_path / "a.png"
    write_photo(out, expected(pixels))

    def full(self, path, *_, **__):
        with open(path, "wb") as file:
            file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_photo(out, torch.zeros(3, 2, 2))
    assert torch.equal(read_photo(out), expected(pixels))
    assert list(tmp_path.iterdir()) == [out]


def test_pixels_are_counted_before_they_are_decoded(tmp_path):
    """A file of 12 kB that would take gigabytes."""
    Image.new("1", (9400, 9400)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"too large to be a photograph \(9400 x 9400 pixels\)"):
        open_picture(tmp_path / "a.png")


def test_devices_pipes_and_programs_are_no_pictures(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(InputError, match="is a device or a pipe, not a file"):
            open_picture(tmp_path / name)
    (tmp_path / "a.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    with pytest.raises(InputError, match="could not be read as a picture"):  # and Ghostscript is not called
        open_picture(tmp_path / "a.png")


def test_damaged_exif_is_said_and_the_picture_read(tmp_path, pixels, caplog):
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=b"Exif\x00\x00nonsense")
    assert torch.equal(read_photo(tmp_path / "a.png"), expected(pixels))
    assert "its EXIF data is damaged" in caplog.text


def test_what_pillow_warns_of_is_logged_and_the_picture_read(tmp_path, caplog):
    whole = io.BytesIO()
    exif = Image.Exif()
    exif[274] = 6  # turned by a quarter
    Image.new("RGB", (6, 4), "red").save(whole, "JPEG", exif=exif)
    data = bytearray(whole.getvalue())
    place = data.index(b"Exif\0\0") + 6
    data[place + 4 : place + 8] = (40_000).to_bytes(4, "little" if data[place : place + 2] == b"II" else "big")
    (tmp_path / "photo.jpg").write_bytes(data)
    with caplog.at_level(logging.WARNING):
        assert read_photo(tmp_path / "photo.jpg").shape == (3, 4, 6)
    assert "photo.jpg: Corrupt EXIF data" in caplog.text
