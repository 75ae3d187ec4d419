"""One file -> its report."""

import os

from posekit.data.inspection.arrays import report_array
from posekit.data.inspection.containers import report_archive, report_other, report_pickle, report_safetensors
from posekit.data.inspection.joints import report_json
from posekit.data.inspection.lists import report_text
from posekit.data.inspection.pictures import report_picture
from posekit.data.inspection.recognise import recognise
from posekit.data.inspection.report import FileReport

_READERS = {
    "picture": report_picture,
    "array": report_array,
    "archive": report_archive,
    "pickle": report_pickle,
    "safetensors": report_safetensors,
    "JSON": report_json,
    "text": report_text,
}


def inspect_file(path: str | os.PathLike) -> FileReport:
    """What a file is, by its content, what is wrong with it, how to mend it, and how it is drawn.

    Nothing is run and nothing is written; pickles are recognised and not opened.  Raises `InputError`, one sentence,
    for what is no whole file: missing, a folder, empty, cut short, or too large.
    """
    content = recognise(path)
    return _READERS[content](path) if content in _READERS else report_other(path, content)
