"""The page of a user study: it shows, asks, keeps the time, and lets the judge save the answers; needs no network."""

import base64
import hashlib
import json
import os
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from posekit.evaluation.study import Study
from posekit.evaluation.study_answers import VERSION
from posekit.util.errors import InputError
from posekit.util.files import write_text
from posekit.util.reading import read_text

_SCRIPT = """
"use strict";
const study = JSON.parse(document.getElementById("study").textContent);
const pictures = JSON.parse(document.getElementById("pictures").textContent);
const at = id => document.getElementById(id);
const answers = [];
let judge = "", begun = 0, open = false, saved = true;

function random() {
  return Array.from(crypto.getRandomValues(new Uint8Array(4)), x => x.toString(16).padStart(2, "0")).join("");
}

function show(id) {
  for (const part of document.querySelectorAll("main > section")) part.hidden = part.id !== id;
}

function picture(hash, kind) {
  const image = new Image();
  image.src = pictures[hash];
  image.className = kind;
  image.alt = "";
  return image;
}

async function next() {
  open = false;
  const number = answers.length;
  if (number === study.trials.length) return show("end");
  const trial = study.trials[number], question = study.questions[trial.question];
  at("count").textContent = `${number + 1} of ${study.trials.length}`;
  at("question").textContent = question.text;
  const beside = trial.beside.map(hash => picture(hash, "beside"));
  const own = trial.pictures.map(hash => picture(hash, "own"));
  const images = own.length === 2 ? [own[0], ...beside, own[1]] : [...beside, ...own];
  at("stage").style.visibility = "hidden";
  at("stage").replaceChildren(...images);
  at("answers").replaceChildren(...question.answers.map((answer, n) => {
    const button = document.createElement("button");
    button.textContent = answer;
    button.addEventListener("click", () => given(n));
    return button;
  }));
  await Promise.all(images.map(image => image.decode()));
  requestAnimationFrame(() => {
    at("stage").style.visibility = "visible";
    begun = performance.now();
    open = true;
    const hide = () => { if (answers.length === number) at("stage").style.visibility = "hidden"; };
    if (study.seconds !== null) setTimeout(hide, 1000 * study.seconds);
  });
}

function given(n) {
  if (!open) return;
  const number = answers.length, question = study.questions[study.trials[number].question];
  answers.push({trial: number, answer: question.answers[n], seconds: (performance.now() - begun) / 1000});
  saved = false;
  next();
}

function save(name, text, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type}));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
  saved = true;
}

function file() {
  return JSON.stringify({posekit_study: STUDY_VERSION, id: STUDY_ID, judge, study, answers}, null, 1);
}

function table() {
  const rows = answers.map(one => {
    const trial = study.trials[one.trial];
    const asked = [study.questions[trial.question].name, trial.item, trial.kinds.join(" ")];
    return [STUDY_ID, judge, one.trial, ...asked, one.answer, one.seconds.toFixed(3)];
  });
  const quoted = cell => '"' + String(cell).replaceAll('"', '""') + '"';
  return [["study", "judge", "trial", "question", "item", "kinds", "answer", "seconds"], ...rows]
    .map(row => row.map(quoted).join(",")).join("\\n") + "\\n";
}

at("start").addEventListener("click", () => {
  const name = at("judge").value.trim().slice(0, 60);
  judge = (name ? name + "-" : "") + random();
  show("trial");
  next();
});
document.addEventListener("keydown", event => {
  const n = {ArrowLeft: 0, "1": 0, ArrowRight: 1, "2": 1}[event.key];
  if (!at("trial").hidden && n !== undefined && !event.repeat) { event.preventDefault(); given(n); }
});
const called = suffix => `answers-${STUDY_ID}-${judge.slice(-8)}.${suffix}`;
for (const id of ["save", "stop"])
  at(id).addEventListener("click", () => save(called("json"), file(), "application/json"));
at("table").addEventListener("click", () => save(called("csv"), table(), "text/csv"));
window.addEventListener("beforeunload", event => { if (!saved) event.preventDefault(); });
"""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Which picture?</title>
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{fingerprint}'">
<style>
body {{ font: 18px/1.5 sans-serif; color: #222; background: #eee; margin: 0; text-align: center }}
main {{ max-width: 80rem; margin: 0 auto; padding: 1rem }}
#stage {{ display: flex; justify-content: center; align-items: center; gap: 1.5rem; height: 60vh }}
#stage img {{ height: 100%; flex: 1 1 0; min-width: 0; max-width: 45%; object-fit: contain }}
#stage img.beside {{ height: 80%; outline: 4px solid #888 }}
button {{ font: inherit; min-width: 9rem; padding: .5rem 1.5rem; margin: .5rem 1rem }}
button.small {{ font-size: 14px }}
#count {{ color: #666; font-size: 14px }}
</style></head><body><main>
<section id="begin">
<h1>Which picture?</h1>
<p>{words}</p>
<p>Answer with the buttons, with the arrow keys, or with 1 and 2. There is no way back.</p>
<p><label>Your name or number, if you like: <input id="judge" maxlength="60"></label></p>
<button id="start">Start</button>
</section>
<section id="trial" hidden>
<p id="question" aria-live="polite"></p>
<div id="stage"></div>
<p id="answers"></p>
<p id="count"></p>
<button id="stop" class="small">Save what I have answered</button>
</section>
<section id="end" hidden>
<h1>Thank you</h1>
<p>Save your answers and send the file to whoever asked you.</p>
<button id="save">Save answers</button>
<button id="table" class="small">as a table (CSV)</button>
</section>
</main>
<script type="application/json" id="study">{study}</script>
<script type="application/json" id="pictures">{pictures}</script>
<script>{script}</script>
</body></html>
"""


def write_study_page(path: str | os.PathLike, study: Study, pictures: Mapping[str, str]) -> Path:
    """One page that needs no other file: the study, its pictures (hash -> ``data:`` address) and the saving of answers.

    InputError where a picture of the study is not among them.
    """
    needed = {hash_ for trial in study.trials for hash_ in (*trial.pictures, *trial.beside)}
    if lacking := needed - pictures.keys():
        raise InputError(f"{len(lacking)} of {len(needed)} pictures of the study are not there.")
    script = _SCRIPT.replace("STUDY_VERSION", str(VERSION)).replace("STUDY_ID", json.dumps(study.id))
    fingerprint = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = _PAGE.format(
        fingerprint=fingerprint,
        words=escape(_words(study)),
        study=_inside(study.to_json()),
        pictures=_inside({hash_: pictures[hash_] for hash_ in sorted(needed)}),
        script=script,
    )
    return write_text(path, page)


def read_study_page(path: str | os.PathLike) -> Study:
    """The study of a page that `write_study_page` wrote."""
    try:
        text = read_text(path)
    except OSError as error:
        raise InputError(f"{path} could not be read ({error.strerror}); check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no page of a study.") from error
    match = re.search(r'<script type="application/json" id="study">(.*?)</script>', text, re.DOTALL)
    if match is None:
        raise InputError(f"{path} is no page of a study.")
    try:
        return Study.from_json(json.loads(match[1]))
    except (InputError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is no page of a study ({error}).") from error


def _words(study: Study) -> str:
    count = f"You will see {len(study.trials)} screens"
    time = "" if study.seconds is None else f", each for {study.seconds:g} s"
    warm_up = f" The first {study.warm_up} are for practice." if study.warm_up else ""
    return f"{count}{time}, and answer a question about each.{warm_up}"


def _inside(value: Any) -> str:
    """JSON that no browser takes for markup, whatever names are in it."""
    return json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
