"""The user studies of the papers: how many pictures, for how long, what was asked, and what came out.

Percentages are those printed.  What a paper does not say is None, and is chosen by whoever makes the study.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from posekit.evaluation.study import StudyQuestion
from posekit.util.errors import InputError

_MORE_REALISTIC = StudyQuestion(name="realistic", text="Which picture is more realistic?", reported={})


@dataclass(frozen=True, kw_only=True)
class StudyPreset:
    """One published study.

    Args:
        source: paper and section.
        questions: asked of every screen.
        real, generated: how many single pictures of each kind; 0 for a choice between two.
        pairs: items of a choice, each shown once for every rival.
        seconds: for which pictures are shown; None: not limited, or not said.
        warm_up: trials at the beginning that are not counted.
        judges: people who took part.
        beside: what is shown beside the pictures, a folder each.
        published: row of the paper -> its percentages.
        remark: what the paper leaves open, and how it is read.
    """

    source: str
    questions: tuple[StudyQuestion, ...]
    real: int = 0
    generated: int = 0
    pairs: int = 0
    seconds: float | None = None
    warm_up: int = 0
    judges: int | None = None
    beside: tuple[str, ...] = ()
    published: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    remark: str = ""

    @property
    def is_choice(self) -> bool:
        """Whether two pictures are compared."""
        return self.pairs > 0

    def __str__(self) -> str:
        """Two or three sentences: what is shown, what is asked, what came out."""
        shown = [f"{n} {kind}" for n, kind in ((self.real, "real"), (self.generated, "generated")) if n]
        shown = [f"{self.pairs} pairs for each rival"] if self.is_choice else shown
        parts = [" + ".join(shown)]
        parts += [f"beside {' and '.join(self.beside)}"] if self.beside else []
        parts += [f"{self.seconds:g} s"] if self.seconds is not None else []
        parts += [f"the first {self.warm_up} not counted"] if self.warm_up else []
        parts += [f"{self.judges} people"] if self.judges is not None else []
        asked = " ".join(question.text for question in self.questions)
        out = "; ".join(f"{row} {' / '.join(f'{x:g}' for x in figures)} %" for row, figures in self.published.items())
        return f"{', '.join(parts)}. {asked} Printed: {out}. {self.remark}"


PRESETS: Mapping[str, StudyPreset] = {
    "realism": StudyPreset(
        source="Dense Pose Transfer, section 4.3 and Table 2, by the protocol of Deformable GANs",
        questions=(
            StudyQuestion(
                name="realism",
                text="Is this picture real or generated?",
                answers=("real", "generated"),
                reported={"real": "generated", "generated": "real"},
            ),
        ),
        real=55,
        generated=55,
        seconds=1.0,
        warm_up=10,
        judges=30,
        published={
            "G1+G2+D": (9.2, 14.9),
            "Deformable GANs, experts": (12.4, 24.6),
            "Deformable GANs": (11.8, 23.5),
            "Dense Pose Transfer": (13.1, 17.2),
        },
        remark="R2G and G2R. The ten uncounted ones are how this protocol is told; the section does not name them.",
    ),
    "anatomy": StudyPreset(
        source="Dense Pose Transfer, section 4.3 and Table 2",
        questions=(
            StudyQuestion(
                name="anatomy",
                text="Is the person in this picture anatomically plausible?",
                answers=("yes", "no"),
                reported={"real": "yes", "generated": "yes"},
            ),
        ),
        real=55,
        generated=55,
        seconds=1.0,
        judges=30,
        published={"Deformable GANs": (77.5, 34.1), "Dense Pose Transfer": (75.6, 40.7)},
        remark="Real and generated. Numbers, time and people are those of the first question, the only ones given.",
    ),
    "pose": StudyPreset(
        source="Dense Pose Transfer, section 4.3 and Table 2",
        questions=(
            StudyQuestion(
                name="pose",
                text="Are the two people in the same pose?",
                answers=("yes", "no"),
                reported={"generated": "yes"},
            ),
        ),
        generated=55,
        seconds=1.0,
        judges=30,
        beside=("target",),
        published={"Deformable GANs": (69.3,), "Dense Pose Transfer": (78.2,)},
        remark="Numbers, time and people are those of the first question, the only ones given.",
    ),
    "closest": StudyPreset(
        source="Coordinate-based Texture Inpainting, section 4.1",
        questions=(StudyQuestion(name="closest", text="Which picture fits the one in the middle best?", reported={}),),
        pairs=80,
        judges=50,
        beside=("truth",),
        published={
            "against Dense Pose Transfer": (90.0,),
            "against Deformable GANs": (76.7,),
            "against variational U-Net": (71.6,),
            "coordinates against colours (RGB inpainting)": (62.7,),
        },
        remark="The source is not shown; each rival apart. Of the ablation, neither pairs nor people are counted.",
    ),
    "try_on": StudyPreset(
        source="Coordinate-based Texture Inpainting, section 4.1, garment transfer",
        questions=(_MORE_REALISTIC,),
        pairs=73,
        judges=50,
        beside=("cloth", "person"),
        published={"against SwapNet": (57.1,)},
        remark="SwapNet's pictures had 128 x 128 pixels, and the authors' were brought down to that.",
    ),
    "two_questions": StudyPreset(
        source="Pose Transfer Using a Single Spatial Transformation, appendix D and Table 6",
        questions=(
            StudyQuestion(name="pose", text="Which picture has the pose of the one in the middle?", reported={}),
            StudyQuestion(name="invisible parts", text="Which picture has the better invisible parts?", reported={}),
        ),
        pairs=80,
        judges=6,
        beside=("target",),
        published={
            "against FOMM": (82.7, 90.6),
            "against MRAA": (78.9, 84.7),
            "against TPSMM": (80.8, 87.7),
            "against GFLA 32": (75.4, 77.2),
            "against GFLA 64": (70.8, 75.6),
        },
        remark="The row of MRAA prints 78.9 beside 29.1, which is more than all.",
    ),
}


def study_preset(name: str) -> StudyPreset:
    """The preset of a name; InputError with the known names for another one."""
    if name not in PRESETS:
        raise InputError(f"Published user studies are {', '.join(PRESETS)}; got {name!r}.")
    return PRESETS[name]
