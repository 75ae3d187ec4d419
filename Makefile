# Every target installs what it needs into .venv, once.  Choose an interpreter with  make demo PYTHON=python3.12
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# The lock holds the exact versions of our own runs.  It needs Python 3.11 or later; on 3.10 the bounds of
# pyproject.toml decide alone.
PINS = $(shell $(PYTHON) -c "import sys; print('-c requirements.lock' if sys.version_info >= (3, 11) else '')")
# Where pip finds packages, for instance  make demo PIP_ARGS="--extra-index-url ..."  for another build of torch.
PIP_ARGS ?=
# HASHES=1 takes only files whose hashes requirements.hashes names (torch, whose builds differ, alone comes without).
HASHES ?=
.PHONY: demo photo test nbval processors lab solutions student notebooks site teaching bench lint clean

NOTEBOOKS := $(wildcard notebooks/*.ipynb)

demo: $(STAMP)
	$(BIN)/posekit demo -o out/demo.png

# The first picture of README: two photographs in the public domain, from scikit-image and matplotlib, in four poses.
photo: $(STAMP)
	$(BIN)/posekit demo -o notebooks/images/photo.png $(foreach file,skimage/data/astronaut.png \
		matplotlib/mpl-data/sample_data/grace_hopper.jpg,--photo $(wildcard $(VENV)/lib/python3*/site-packages/$(file)))

# Threads that wait sleep instead of spinning, in JupyterLab's kernels too (posekit/util/waiting.py says why).
export OMP_WAIT_POLICY ?= passive

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -p no:nbval -n 2 --dist loadscope
	$(MAKE) nbval

# Every notebook runs from the first cell to the last.  The notebooks choose their own matplotlib backend, and
# loadfile keeps the cells of one notebook in one kernel.
nbval: $(STAMP)
	$(if $(NOTEBOOKS),env -u MPLBACKEND $(BIN)/python -m pytest --nbval-lax --nbval-current-env \
		--nbval-cell-timeout=900 --timeout=1200 --nbval-sanitize-with=tests/notebooks/nbval_sanitize.cfg \
		-n 2 --dist loadfile $(NOTEBOOKS))

# The notebooks that train, under other processors' kernels and with other seeds.  CI runs one of each, of the two whose
# trainings differ most from processor to processor:
#   make processors KERNELS=avx2 SEEDS=1 TRAINING="04 05"
KERNELS  ?= avx2,default
SEEDS    ?= 0,1,2
TRAINING ?=
processors: $(STAMP)
	$(BIN)/python -m posekit_lab.processors $(TRAINING) --kernels $(KERNELS) --seeds $(SEEDS) --jobs 2

# These settings: JupyterLab does not ask whether to fetch news, and looks for no newer version of itself.
LAB := $(BIN)/jupyter lab --LabApp.app_settings_dir=notebooks/lab_settings

# The students' copies: exercises are open, checks say what is wrong.  What a student changed is never written over.
lab: student
	$(LAB) student

# The executed notebooks, with the solutions.
solutions: $(STAMP)
	$(LAB) notebooks

student: $(STAMP)
	$(BIN)/python -m posekit_lab.handout

notebooks: $(STAMP)
	$(BIN)/python -m posekit_lab.notebooks build
	$(BIN)/python -m posekit_lab.notebooks table README.md

# Pages, executed notebooks and the library's docstrings as a site that needs no network: out/site/index.html
site: $(STAMP)
	$(BIN)/python -m posekit_lab.site

# For the teacher: slides of eight weeks, and all exercises with solutions; docs/teaching has the rest.
teaching: $(STAMP)
	$(BIN)/python -m posekit_lab.slides
	$(BIN)/python -m posekit_lab.solutions

bench: $(STAMP)
	$(BIN)/python benchmarks/splat.py
	$(BIN)/python benchmarks/studio.py
	$(BIN)/python benchmarks/mutual_filter.py --batch 2
	$(BIN)/python benchmarks/train_step.py

lint: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# pip reads the two pyproject.toml itself, so a change of them or of the lock installs again.  The library, the course
# and the lab lie in this checkout and are used from it; setuptools warns of that in twelve lines, which say nothing new.
$(STAMP): pyproject.toml notebooks/pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
ifneq ($(HASHES),)
	$(BIN)/python -m pip install --quiet --no-deps $(PIP_ARGS) $(shell grep -E '^torch(vision)?==' requirements.lock)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.hashes
endif
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet $(PINS) $(PIP_ARGS) \
		--editable ".[sweeps,test]" --editable "./notebooks[teaching]"
	touch $@

clean:
	rm -rf $(VENV) out build *.egg-info notebooks/*.egg-info .pytest_cache .ruff_cache
